#pragma once

#include <string>
#include <vector>

namespace casvit::launch {

/// Who has another value than most have, ascending; empty where all agree. Between values that
/// equally many have, the one of the lowest rank is taken for the right one.
/// @param values of every rank, in rank order
std::vector<int> dissenters(const std::vector<std::string>& values);

/// "rank 3", "ranks 1-3, 7".
std::string ranks_text(const std::vector<int>& ascending);

/// The same with hosts: "rank 3 on node7", "ranks 1-3, 7 (node7, node8, ...)"; names three hosts at
/// most. @param hosts of every rank
std::string ranks_and_hosts_text(const std::vector<int>& ascending,
                                 const std::vector<std::string>& hosts);

}  // namespace casvit::launch
