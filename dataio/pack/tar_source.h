#pragma once

#include <string>
#include <vector>

#include "dataio/pack/plan.h"

namespace casvit::dataio {

/// The plan of tar archives, whose pictures are read where they lie. A picture's label is what the
/// archive says beside it, as WebDataset has it: the member of the same name but for what follows
/// the first dot of its last part, KEY.cls (a number or a name) or KEY.json with "label", "cls" or
/// "class". Where an archive has no such member at all, the label is the folder that the picture
/// lies in. Labels become classes as classes_of_labels says. Pictures without a label are unusable.
/// Members are named NAME, or ARCHIVE/NAME where there are several archives.
/// @throws InputError for an archive that is missing, compressed, damaged or hostile; UsageError
/// for
///         archives without pictures, two archives of one name, a picture in no folder.
PackPlan plan_from_archives(const std::vector<std::string>& archives,
                            const OnListed& on_listed = nullptr);

}  // namespace casvit::dataio
