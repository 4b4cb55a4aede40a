#include "tools/scale/simulation/platform.h"

#include <algorithm>
#include <string>
#include <utility>

namespace casvit::scale {
namespace {

namespace sg = simgrid::s4u;

/// A node: its ranks around a switch. @returns the zone's netpoint and its gateway, the switch
std::pair<simgrid::kernel::routing::NetPoint*, simgrid::kernel::routing::NetPoint*> make_node(
    const sg::NetZone* tree, unsigned long node, const PlatformOptions& options,
    double card_latency, std::vector<sg::Host*>& hosts) {
  sg::NetZone* zone = sg::create_star_zone("node" + std::to_string(node));
  if (tree != nullptr) zone->set_parent(tree);
  auto* gateway = zone->create_router("switch" + std::to_string(node));
  // Whatever leaves or enters the node crosses its card. The tree's link limits its bytes.
  const auto* card = zone->create_split_duplex_link("card" + std::to_string(node), 1e15)
                         ->set_latency(card_latency)
                         ->seal();
  zone->add_route(gateway, nullptr, nullptr, nullptr, {{card, sg::LinkInRoute::Direction::UP}},
                  true);
  const auto first = static_cast<int>(node) * options.ranks_per_node;
  for (int rank = first; rank < first + options.ranks_per_node; ++rank) {
    if (rank >= options.ranks) break;
    const std::string name = "rank" + std::to_string(rank);
    sg::Host* host = zone->create_host(name, 1e9)->seal();
    // A message crosses the sender's link and the receiver's.
    const auto* link =
        zone->create_split_duplex_link(name + "_link", options.local_bytes_per_second)
            ->set_latency(options.local_latency_seconds / 2)
            ->seal();
    zone->add_route(host->get_netpoint(), nullptr, nullptr, nullptr,
                    {{link, sg::LinkInRoute::Direction::UP}}, true);
    hosts[static_cast<std::size_t>(rank)] = host;
  }
  zone->seal();
  return {zone->get_netpoint(), gateway};
}

}  // namespace

std::vector<std::string> ideal_network_arguments() {
  return {"--log=xbt_cfg.thres:warning",        "--log=smpi_config.thres:error",
          "--cfg=network/model:SMPI",           "--cfg=smpi/bw-factor:0:1",
          "--cfg=smpi/lat-factor:0:1",          "--cfg=network/crosstraffic:0",
          "--cfg=network/TCP-gamma:1e15",       "--cfg=network/weight-S:0",
          "--cfg=smpi/simulate-computation:no", "--cfg=smpi/test:0",
          "--cfg=smpi/grow-injected-times:no",  "--cfg=contexts/stack-size:256"};
}

std::vector<sg::Host*> make_platform(const PlatformOptions& options) {
  std::vector<sg::Host*> hosts(static_cast<std::size_t>(options.ranks));
  const int nodes = (options.ranks + options.ranks_per_node - 1) / options.ranks_per_node;
  if (nodes == 1) {
    make_node(nullptr, 0, options, 0, hosts);
    return hosts;
  }
  const int below = std::min(nodes, options.nodes_per_leaf);
  const int leaves = (nodes + below - 1) / below;
  const auto unsigned_of = [](int value) { return static_cast<unsigned>(value); };
  // Between nodes a message crosses two local links, two network cards and, where it goes over a
  // spine, four links of the tree.
  constexpr double kSwitchSeconds = 0.25e-6;
  const double card_latency =
      std::max(0.0, options.network_latency_seconds - options.local_latency_seconds -
                        4 * kSwitchSeconds) /
      2;
  sg::create_fatTree_zone(
      "tree", nullptr,
      {2, {unsigned_of(below), unsigned_of(leaves)}, {1, unsigned_of(below)}, {1, 1}},
      sg::ClusterCallbacks(
          [&](sg::NetZone* tree, const std::vector<unsigned long>&, unsigned long node) {
            return make_node(tree, node, options, card_latency, hosts);
          }),
      options.node_bytes_per_second, kSwitchSeconds, sg::Link::SharingPolicy::SPLITDUPLEX)
      ->seal();
  return hosts;
}

}  // namespace casvit::scale
