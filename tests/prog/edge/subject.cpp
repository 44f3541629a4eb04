// SPDX-License-Identifier: Apache-2.0
#include "prog/edge/subject.hpp"

#include <array>

#include <linux/bpf.h>

#include <beeline/edge/parse.hpp>
#include <beeline/kernel/counters.hpp>
#include <beeline/kernel/prog.hpp>
#include <beeline/kernel/ring_buffer.hpp>
#include <harness/model.hpp>
#include <harness/packet_sum.hpp>

namespace beeline::edge {

namespace {

constexpr std::array<std::string_view, BL_EDGE_REASONS> kReasonNames = BL_EDGE_REASON_NAMES;

void check_one(const Case &c) {
    ASSERT_VALUE(const Subject subject, Subject::load(c.rules, c.sets));
    ASSERT_VALUE(const Judgement explained, subject.judge(c.packet));
    ASSERT_VALUE(const auto untouched, subject.reasons());
    EXPECT_TRUE(untouched.empty()) << "explain counted " << untouched.begin()->first;

    ASSERT_VALUE(const Outcome run, subject.run(c.packet));
    EXPECT_EQ(run.xdp, c.xdp);
    EXPECT_EQ(explained.xdp, c.xdp);
    EXPECT_EQ(explained.rule, c.rule) << model::parse(c.packet).text();
    const bool gone = c.xdp == XDP_DROP || c.xdp == XDP_ABORTED;
    const Bytes &after = c.after ? *c.after : c.packet;
    if (!gone) {
        EXPECT_EQ(harness::hex(run.frame), harness::hex(after));
        EXPECT_EQ(harness::hex(explained.frame), harness::hex(after));
    }
    for (std::size_t rule = 0; rule < subject.policy().rules.size(); ++rule) {
        ASSERT_VALUE(const bl_hits hits, subject.hits(rule));
        EXPECT_EQ(hits.packets, rule == c.rule ? 1u : 0u) << "rule " << rule;
        EXPECT_EQ(hits.bytes, rule == c.rule ? c.packet.size() : 0u) << "rule " << rule;
    }
    ASSERT_VALUE(const auto counted, subject.reasons());
    EXPECT_EQ(counted, c.counted);

    const model::Answer opinion = model::judge(subject.policy(), c.packet, {});
    EXPECT_EQ(opinion.rule, c.rule) << "model";
    EXPECT_EQ(opinion.xdp, c.xdp) << "model";
    EXPECT_EQ(kReasonNames[opinion.reason], kReasonNames[explained.reason]) << "model, program";
    EXPECT_EQ(kReasonNames[opinion.outcome], kReasonNames[explained.outcome]) << "model, program";
    if (!gone) {
        EXPECT_EQ(harness::hex(opinion.frame), harness::hex(after)) << "model";
    }
}

} // namespace

Binding binding_to_lo() {
    Binding binding;
    binding.ifindex = [](const std::string &name) -> Result<std::uint32_t> { return name == "lo" ? kLo : kAbsent; };
    return binding;
}

Result<Policy> policy_of(const std::vector<std::string> &rules, std::vector<Set> sets) {
    std::vector<rules::SourceString> sources;
    for (const std::string &rule : rules)
        sources.emplace_back(rule);
    rules::Diagnostics diagnostics;
    ParsedRules parsed = parse_rules(sources, sets, diagnostics);
    if (rules::has_errors(diagnostics))
        return fail(Kind::config, 0, diagnostics.front().text());
    Policy policy;
    policy.devices = {"lo"};
    policy.sets = std::move(sets);
    policy.sets.insert(policy.sets.end(), parsed.sets.begin(), parsed.sets.end());
    policy.rules = std::move(parsed.rules);
    return policy;
}

Result<Subject> Subject::load(const std::vector<std::string> &rules, std::vector<Set> sets) {
    BL_TRY(const Policy policy, policy_of(rules, std::move(sets)));
    return load(policy);
}

Result<Subject> Subject::load(const Policy &policy) {
    BL_TRY(Tables tables, compile(policy, binding_to_lo()));
    BL_TRY(Kept kept, Kept::create());
    BL_TRY(Program program, Program::load(tables, kept));
    return Subject(policy, std::move(tables), std::move(kept), std::move(program));
}

Result<Outcome> Subject::run(const Bytes &frame, std::uint32_t ifindex, std::uint32_t repeat) const {
    kernel::TestRun run{.data = frame, .repeat = repeat};
    run.ctx = xdp_md{};
    run.ctx->data_end = static_cast<std::uint32_t>(frame.size());
    run.ctx->ingress_ifindex = ifindex;
    BL_TRY(kernel::TestResult result, kernel::test_run(program_.fd("edge_policy"), run));
    return Outcome{.xdp = result.retval, .frame = std::move(result.data_out)};
}

Result<bl_hits> Subject::hits(std::size_t rule) const {
    BL_TRY(auto map, (kernel::PerCpuMap<std::uint32_t, bl_hits>::share(kept_.fd("edge_hits"))));
    return map.sum(tables_.rules[rule].counter, [](bl_hits &total, const bl_hits &cpu) {
        total.packets += cpu.packets;
        total.bytes += cpu.bytes;
    });
}

Result<std::map<std::string, std::uint64_t>> Subject::reasons() const {
    BL_TRY(auto map, kernel::CounterMap::share(kept_.fd("edge_reasons")));
    BL_TRY(const auto counters, kernel::read_counters(map, kReasonNames));
    std::map<std::string, std::uint64_t> counted;
    for (const auto &[name, count] : counters)
        if (count != 0)
            counted[name] = count;
    return counted;
}

Result<std::vector<bl_edge_event>> Subject::events() const {
    std::vector<bl_edge_event> events;
    BL_TRY(auto ring, kernel::RingBuffer::open_typed<bl_edge_event>(
                          kept_.fd("edge_events"), [&](const bl_edge_event &event) { events.push_back(event); }));
    BL_CHECK(ring.consume());
    return events;
}

void check_like_model(const Subject &subject, const Bytes &frame) {
    const model::Answer expected = model::judge(subject.policy(), frame, {});
    ASSERT_VALUE(const Judgement got, subject.judge(frame));
    EXPECT_EQ(got.rule, expected.rule) << harness::hex(frame) << "\n" << model::parse(frame).text();
    EXPECT_EQ(got.xdp, expected.xdp) << harness::hex(frame);
    EXPECT_EQ(kReasonNames[got.reason], kReasonNames[expected.reason]) << harness::hex(frame);
    EXPECT_EQ(kReasonNames[got.outcome], kReasonNames[expected.outcome]) << harness::hex(frame);
    if (expected.xdp != XDP_DROP && expected.xdp != XDP_ABORTED) {
        EXPECT_EQ(harness::hex(got.frame), harness::hex(expected.frame)) << harness::hex(frame);
    }
}

void check(std::span<const Case> cases) {
    for (const Case &c : cases) {
        SCOPED_TRACE(c.sentence);
        check_one(c);
    }
}

} // namespace beeline::edge
