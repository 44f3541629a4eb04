// SPDX-License-Identifier: Apache-2.0
//
// The loaded program and the reference model must say the same of every packet: rule, XDP code, reason, frame.
// BEELINE_MODEL_PACKETS: packets in all (1,000,000). BEELINE_MODEL_SEED: another series of cases.
#include <cstdlib>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include <linux/bpf.h>

#include <beeline/edge/parse.hpp>
#include <beeline/edge/program.hpp>
#include <beeline/kernel/typed_map.hpp>
#include <harness/assert.hpp>
#include <harness/generate.hpp>
#include <harness/model.hpp>

namespace beeline::edge {
namespace {

using harness::Bytes;
using model::Random;

constexpr std::uint32_t kLo = 1;        ///< ifindex of lo in every network namespace.
constexpr std::uint32_t kAbsent = 4711; ///< No device has it.
constexpr std::uint64_t kNeverEmpty = 1ull << 62;

std::uint64_t number_from(const char *variable, std::uint64_t otherwise) {
    const char *text = std::getenv(variable);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

Binding binding() {
    Binding b;
    b.ifindex = [](const std::string &name) -> Result<std::uint32_t> { return name == model::kDevice ? kLo : kAbsent; };
    return b;
}

std::string text_of(const Policy &policy) {
    std::string text;
    for (const Set &set : policy.sets) {
        text += "  @" + set.name + " =";
        for (const Prefix &prefix : set.prefixes)
            text += " " + to_text(prefix);
        for (const auto &range : set.ports)
            text += " " + std::to_string(range.low) + "-" + std::to_string(range.high);
        for (const Mac &mac : set.macs)
            text += " " + to_text(mac);
        text += "\n";
    }
    for (const Rule &rule : policy.rules)
        text += "  " + to_text(rule, policy.sets) + "\n";
    return text;
}

/// A policy in the kernel, with the rates that the model decides about.
class Subject {
public:
    static Result<Subject> load(const Policy &policy, const Kept &kept) {
        BL_TRY(Tables tables, compile(policy, binding()));
        BL_TRY(Program program, Program::load(tables, kept));
        BL_TRY(auto rates, (kernel::Map<std::uint32_t, std::uint64_t>::share(kept.fd("edge_rates"))));
        BL_TRY(auto sources, (kernel::Map<bl_rate_key, std::uint64_t>::share(kept.fd("edge_sources"))));
        Subject subject(policy, std::move(tables), std::move(program), std::move(rates), std::move(sources));
        BL_CHECK(subject.fill_rates());
        return subject;
    }

    /// Empty when program and model agree on the frame.
    std::string disagreement(const Bytes &frame) {
        model::Surroundings around;
        around.over_rate = [this](std::size_t rule, const model::Fields &f) { return over(rule, f); };
        const model::Answer expected = model::judge(policy_, frame, around);
        const Result<Judgement> got = program_.judge(frame);
        if (!got)
            return got.error().message();
        std::string text;
        const auto compare = [&text](const char *what, std::uint64_t model, std::uint64_t program) {
            if (model != program)
                text += std::string(text.empty() ? "" : ", ") + what + ": model " + std::to_string(model) +
                        ", program " + std::to_string(program);
        };
        compare("rule", expected.rule, got->rule);
        compare("xdp", expected.xdp, got->xdp);
        compare("reason", expected.reason, got->reason);
        compare("outcome", expected.outcome, got->outcome);
        if (text.empty() && expected.xdp != XDP_DROP && expected.xdp != XDP_ABORTED && expected.frame != got->frame)
            text = "frame:\n  model   " + harness::hex(expected.frame) + "\n  program " + harness::hex(got->frame);
        seen_rules_.insert(got->rule);
        return text;
    }

    [[nodiscard]] const std::set<std::uint32_t> &seen_rules() const { return seen_rules_; }

    /// Buckets of sources are the kept maps': the next policy must not find them.
    Result<> forget() {
        for (const auto &[key, level] : made_)
            BL_CHECK(sources_.erase(level));
        return {};
    }

private:
    using Rates = kernel::Map<std::uint32_t, std::uint64_t>;
    using Sources = kernel::Map<bl_rate_key, std::uint64_t>;
    Subject(const Policy &policy, Tables tables, Program program, Rates rates, Sources sources)
        : policy_(policy), tables_(std::move(tables)), program_(std::move(program)), rates_(std::move(rates)),
          sources_(std::move(sources)) {}

    /// Every second rule with a rate for all is over it.
    static bool always_over(std::size_t rule) { return rule % 2 == 0; }

    Result<> fill_rates() {
        for (std::size_t i = 0; i < policy_.rules.size(); ++i) {
            const auto &rate = policy_.rules[i].rate;
            if (rate && rate->key == RateKey::all)
                BL_CHECK(rates_.update(tables_.rules[i].counter, always_over(i) ? kNeverEmpty : 0));
        }
        return {};
    }

    /// Sources whose last byte is odd are over every rate per source.
    bool over(std::size_t rule, const model::Fields &fields) {
        if (policy_.rules[rule].rate->key == RateKey::all)
            return always_over(rule);
        if (!fields.ip)
            return false;
        const bool v4 = fields.ip->family == Family::v4;
        if (fields.ip->src[v4 ? 3 : 15] % 2 == 0)
            return false;
        bl_rate_key key{};
        std::copy(fields.ip->src.begin(), fields.ip->src.end(), key.address);
        key.counter = tables_.rules[rule].counter;
        const std::string name(reinterpret_cast<const char *>(&key), sizeof key);
        if (made_.emplace(name, key).second && !sources_.update(key, kNeverEmpty))
            return false;
        return true;
    }

    const Policy &policy_;
    Tables tables_;
    Program program_;
    Rates rates_;
    Sources sources_;
    std::map<std::string, bl_rate_key> made_;
    std::set<std::uint32_t> seen_rules_;
};

/// Leaves out every rule and set entry that the disagreement does not need.
Policy shrunk(Policy policy, const Bytes &frame, const Kept &kept) {
    for (std::size_t i = policy.rules.size() - 1; i-- > 0;) {
        Policy smaller = policy;
        smaller.rules.erase(smaller.rules.begin() + static_cast<std::ptrdiff_t>(i));
        auto subject = Subject::load(smaller, kept);
        if (subject && !subject->disagreement(frame).empty())
            policy = std::move(smaller);
        if (subject)
            (void)subject->forget();
    }
    return policy;
}

class Agreement : public testing::Test {
protected:
    void SetUp() override { BL_NEED_ROOT(); }

    void report(const Policy &policy, const Bytes &frame, const Kept &kept, std::uint64_t seed) {
        const Policy small = shrunk(policy, frame, kept);
        auto subject = Subject::load(small, kept);
        ADD_FAILURE() << "seed " << seed << ": " << (subject ? subject->disagreement(frame) : "") << "\nrules:\n"
                      << text_of(small) << "packet: " << harness::hex(frame) << "\n"
                      << "fields: " << model::parse(frame).text();
        if (subject)
            (void)subject->forget();
    }
};

TEST_F(Agreement, ProgramAndModelSayTheSameOfRandomPackets) {
    ASSERT_VALUE(const Kept kept, Kept::create());
    const std::uint64_t packets = number_from("BEELINE_MODEL_PACKETS", 1'000'000);
    const std::uint64_t first_seed = number_from("BEELINE_MODEL_SEED", 1);
    constexpr std::uint64_t kPerPolicy = 500;
    std::uint64_t judged = 0, rules = 0, hit = 0, refused = 0, failures = 0;
    for (std::uint64_t seed = first_seed; judged < packets && failures < 5; ++seed) {
        Random random(seed);
        const Policy policy = model::random_policy(random);
        auto subject = Subject::load(policy, kept);
        if (!subject) {
            ASSERT_EQ(subject.error().kind, Kind::config) << subject.error().message() << "\n"
                                                          << subject.error().detail;
            ++refused; // too many negated values for one entry and the like
            continue;
        }
        for (std::uint64_t i = 0; i < kPerPolicy; ++i, ++judged) {
            const Bytes frame = model::random_packet(random, policy);
            if (subject->disagreement(frame).empty())
                continue;
            ++failures;
            report(policy, frame, kept, seed);
            break;
        }
        rules += policy.rules.size();
        hit += subject->seen_rules().size();
        ASSERT_OK(subject->forget());
    }
    RecordProperty("packets", std::to_string(judged));
    std::cout << judged << " packets judged, " << hit << " of " << rules << " rules hit, " << refused
              << " policies too large\n";
    EXPECT_GE(judged, failures == 0 ? packets : 0);
    // Cases that never meet the rules would prove nothing.
    EXPECT_GT(hit * 2, rules);
}

} // namespace
} // namespace beeline::edge
