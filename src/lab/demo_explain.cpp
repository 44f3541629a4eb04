// SPDX-License-Identifier: Apache-2.0
//
// Scene: why did that happen to my packet? Answered by the program that is live.
#include <linux/bpf.h>

#include <fmt/format.h>

#include "lab/demo.hpp"
#include "lab/frame_check.hpp"
#include "lab/frames.hpp"

namespace beeline::lab {
namespace {

struct Question {
    UdpFrame frame;
    std::uint32_t rule; ///< That must decide.
    std::uint32_t xdp;
    std::string_view verdict;
    std::uint16_t port_afterwards;
};

std::uint16_t destination_port(const std::vector<std::byte> &frame) {
    const std::size_t at = kSourcePort4 + 2;
    return static_cast<std::uint16_t>(std::to_integer<unsigned>(frame[at]) << 8 |
                                      std::to_integer<unsigned>(frame[at + 1]));
}

Result<> answer(Stage &stage, const Node &node, const edge::Edge::Live &live, const Question &question, int ifindex) {
    BL_TRY(const auto frame, build(question.frame));
    BL_TRY(const edge::Judgement judgement,
           node.within([&] { return live.program.judge(frame, static_cast<std::uint32_t>(ifindex)); }));
    const std::string text = judgement.rule < live.texts.size() ? live.texts[judgement.rule] : "?";
    Report &report = stage.report;
    report.line();
    report.line(fmt::format("beeline explain 'udp {}:{} > {}:{} in ve'", question.frame.source,
                            question.frame.source_port, question.frame.destination, question.frame.destination_port));
    report.quote(fmt::format("rule {}: {}", judgement.rule + 1, text));
    const bool passed = judgement.xdp == XDP_PASS && judgement.frame.size() == frame.size();
    if (passed && destination_port(judgement.frame) != question.frame.destination_port)
        report.quote(fmt::format("goes on to the kernel with destination port {}", destination_port(judgement.frame)));
    const bool right = judgement.rule == question.rule && judgement.xdp == question.xdp &&
                       (!passed || (destination_port(judgement.frame) == question.port_afterwards &&
                                    check_frame(judgement.frame).complete()));
    report.check(right, fmt::format("the live program says {}, and the frame it leaves is right", question.verdict));
    return {};
}

} // namespace

Result<> demo_explain(Stage &stage) {
    stage.report.scene("Explain: the loaded program is asked, not a model of it");
    BL_TRY(const Node *node, stage.lab.add("asked"));
    BL_CHECK(stage.lab.cable({.node = node, .device = "ve"}, {.node = node, .device = "vf"}));
    BL_TRY(const auto ve, node->device("ve"));
    BL_TRY(const edge::Policy policy,
           policy_of({"src 192.0.2.0/24 -> drop", "udp dport 7999 -> rewrite dport 7998", "fallback -> pass"}, {"ve"}));
    BL_TRY(const RunningEdge edge, stage.up(*node, "explain", policy));
    BL_TRY(const auto live, edge.live());
    BL_CHECK(answer(stage, *node, live, {{.to = ve.mac, .source = "192.0.2.1"}, 0, XDP_DROP, "drop", 0}, ve.ifindex));
    return answer(stage, *node, live, {{.to = ve.mac}, 1, XDP_PASS, "pass", 7998}, ve.ifindex);
}

} // namespace beeline::lab
