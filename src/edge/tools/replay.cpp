// SPDX-License-Identifier: Apache-2.0
#include <beeline/edge/replay.hpp>

#include <algorithm>

#include <fmt/format.h>

#include <beeline/edge/packet.hpp>

namespace beeline::edge {
namespace {

void count(Replay &replay, const CapturedPacket &packet, const Judgement &judgement) {
    ++replay.judged;
    replay.cut += packet.length > packet.bytes.size() ? 1 : 0;
    if (judgement.reason != 0)
        ++replay.odd[judgement.reason];
    if (judgement.rule >= replay.rules.size())
        return;
    ReplayRule &rule = replay.rules[judgement.rule];
    ++rule.packets;
    rule.bytes += std::max<std::uint64_t>(packet.length, packet.bytes.size());
    if (judgement.xdp < rule.by_xdp.size())
        ++rule.by_xdp[judgement.xdp];
}

} // namespace

Result<Replay> replay(CaptureReader &capture, const Judge &judge, const std::string &device,
                      const std::function<void(const Replayed &)> &f) {
    Replay replay;
    replay.rules.resize(judge.rules().size());
    std::vector<std::byte> room;
    for (;;) {
        BL_TRY(const std::optional<CapturedPacket> packet, capture.next());
        if (!packet)
            return replay;
        ++replay.packets;
        std::optional<Judgement> judgement;
        if (packet->bytes.size() < kMinJudgedFrame) {
            ++replay.too_short;
        } else if (std::max<std::size_t>(packet->length, packet->bytes.size()) > kMaxJudgedFrame) {
            ++replay.too_long;
        } else {
            auto judged = judge.judge(whole(*packet, room), device);
            if (!judged)
                return std::unexpected(
                    std::move(judged).error().within(fmt::format("{}: packet {}", capture.path(), packet->number)));
            count(replay, *packet, *judged);
            judgement = std::move(*judged);
        }
        if (f)
            f({*packet, judgement});
    }
}

} // namespace beeline::edge
