// SPDX-License-Identifier: Apache-2.0
//
// What a policy says about every packet of a capture.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <beeline/edge/capture.hpp>
#include <beeline/edge/judge.hpp>
#include <beeline/result.hpp>

namespace beeline::edge {

struct ReplayRule {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;               ///< Lengths on the wire.
    std::array<std::uint64_t, 5> by_xdp{}; ///< By what the program returned (XDP_ABORTED...XDP_REDIRECT).
};

struct Replay {
    std::uint64_t packets = 0;                  ///< All in the file.
    std::uint64_t judged = 0;                   //
    std::uint64_t too_short = 0;                ///< Less than an Ethernet header, not judged.
    std::uint64_t too_long = 0;                 ///< More than kMaxJudgedFrame, not judged.
    std::uint64_t cut = 0;                      ///< Judged with zeros in place of what the capture left out.
    std::vector<ReplayRule> rules;              ///< By rule number.
    std::map<std::uint32_t, std::uint64_t> odd; ///< Packets by BL_EDGE_R_*.
};

/// One packet of a replay. judgement is empty when it was not judged.
struct Replayed {
    const CapturedPacket &packet;
    const std::optional<Judgement> &judgement;
};

/// Judges every packet as if device had received it (empty: none in particular); each is told to f, if there is one.
[[nodiscard]] Result<Replay> replay(CaptureReader &capture, const Judge &judge, const std::string &device,
                                    const std::function<void(const Replayed &)> &f = {});

} // namespace beeline::edge
