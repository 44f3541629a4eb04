// SPDX-License-Identifier: Apache-2.0
//
// The loaded program and the reference model must say the same of every packet: rule, XDP code, reason, frame.
// BEELINE_MODEL_PACKETS: packets in all (1,000,000). BEELINE_MODEL_SEED: another series of cases. In four parts, so
// that they run side by side.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include <linux/bpf.h>
#include <sys/socket.h>

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

/// Ones' complement has two zeros. A field that came as 0xffff, which no sender computes but UDP, may leave as either.
Bytes with_one_zero(Bytes after, const Bytes &before) {
    const model::Fields fields = model::parse(before);
    std::vector<std::size_t> places;
    if (fields.ip && fields.ip->family == Family::v4)
        places.push_back(fields.ip->at + 10);
    if (fields.segment && fields.ip->proto != 17 && fields.ip->proto != 136)
        places.push_back(fields.segment->at + (fields.ip->proto == 6 ? 16 : fields.ip->proto == 58 ? 2 : 6));
    const auto is = [](const Bytes &frame, std::size_t at, int value) {
        return std::to_integer<int>(frame[at]) == value && std::to_integer<int>(frame[at + 1]) == value;
    };
    for (const std::size_t at : places)
        if (is(before, at, 0xff) && is(after, at, 0))
            after[at] = after[at + 1] = std::byte{0xff};
    return after;
}

/// A policy in the kernel, with the rates that the model decides about.
class Subject {
public:
    struct Host {
        bool generic = false; ///< The device counts as one that runs generic XDP.
        bool listens = false; ///< There is an AF_XDP socket.
    };
    static Result<Subject> load(const Policy &policy, const Kept &kept, Host host) {
        BL_TRY(Tables tables, compile(policy, binding()));
        BL_TRY(Program program, Program::load(tables, kept));
        BL_TRY(auto rates, (kernel::Map<std::uint32_t, std::uint64_t>::share(kept.fd("edge_rates"))));
        BL_TRY(auto sources, (kernel::Map<bl_rate_key, std::uint64_t>::share(kept.fd("edge_sources"))));
        Subject subject(policy, std::move(tables), std::move(program), std::move(rates), std::move(sources));
        BL_CHECK(subject.fill_rates());
        BL_TRY(auto modes, (kernel::Map<std::uint32_t, std::uint32_t>::share(kept.fd("edge_modes"))));
        BL_CHECK(modes.update(kLo, host.generic ? BL_EDGE_MODE_GENERIC : BL_EDGE_MODE_NATIVE));
        BL_CHECK(subject.listen(kept, host.listens));
        subject.around_.generic = host.generic;
        subject.around_.xsk_listens = host.listens;
        return subject;
    }

    /// Empty when program and model agree on the frame.
    std::string disagreement(const Bytes &frame) {
        around_.over_rate = [this](std::size_t rule, const model::Fields &f) { return over(rule, f); };
        const model::Answer expected = model::judge(policy_, frame, around_);
        Result<Judgement> got = program_.judge(frame);
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
        if (text.empty() && expected.xdp != XDP_DROP && expected.xdp != XDP_ABORTED &&
            with_one_zero(expected.frame, frame) != with_one_zero(got->frame, frame))
            text = "frame:\n  model   " + harness::hex(expected.frame) + "\n  program " + harness::hex(got->frame);
        seen_rules_.insert(got->rule);
        last_ = std::move(*got);
        return text;
    }
    [[nodiscard]] std::size_t entries() const { return tables_.entries.size(); }
    /// BL_NEEDS_*: what the program was told to do without.
    [[nodiscard]] std::uint32_t needs() const { return tables_.config.needs; }
    /// The program's answer to the last frame.
    [[nodiscard]] const Judgement &last() const { return last_; }

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

    /// The socket is in the map, bound to nothing: frames are never really redirected in test runs.
    Result<> listen(const Kept &kept, bool on) {
        BL_TRY(const kernel::MapInfo info, kernel::map_info(kept.fd("edge_xsks")));
        const std::uint32_t first = 0; // slot 0, queue 0: the one name that generated policies use
        if (!on) {
            BL_CHECK(kernel::raw::erase(kept.fd("edge_xsks"), info, &first));
            return {};
        }
        socket_ = kernel::UniqueFd(::socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0));
        if (socket_.get() < 0)
            return fail_errno(errno, "open an AF_XDP socket");
        const int fd = socket_.get();
        return kernel::raw::update(kept.fd("edge_xsks"), info, &first, &fd, kernel::Update::any);
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
    model::Surroundings around_;
    kernel::UniqueFd socket_;
    Judgement last_;
};

/// Leaves out every rule and set entry that the disagreement does not need.
Policy shrunk(Policy policy, const Bytes &frame, const Kept &kept, Subject::Host host) {
    for (std::size_t i = policy.rules.size() - 1; i-- > 0;) {
        Policy smaller = policy;
        smaller.rules.erase(smaller.rules.begin() + static_cast<std::ptrdiff_t>(i));
        auto subject = Subject::load(smaller, kept, host);
        if (subject && !subject->disagreement(frame).empty())
            policy = std::move(smaller);
        if (subject)
            (void)subject->forget();
    }
    return policy;
}

constexpr std::uint64_t kParts = 4;
constexpr std::uint64_t kPerPolicy = 1000;

/// What the cases of a part have met; cases that never do would prove nothing.
struct Coverage {
    std::uint64_t packets = 0, policies = 0, rules = 0, hit = 0;
    std::uint64_t plain = 0, far = 0;     ///< Policies that take the short way, and those with long tables.
    std::uint64_t lean = 0;               ///< Policies of edge_policy_lean.
    std::array<std::uint64_t, 5> codes{}; ///< By XDP code.
    std::array<std::uint64_t, BL_EDGE_REASONS> reasons{}; ///< Of the parser and of the action.

    void add(const Judgement &judgement) {
        ++packets;
        ++codes[judgement.xdp];
        if (judgement.reason != 0)
            ++reasons[judgement.reason];
        if (judgement.outcome != 0)
            ++reasons[judgement.outcome];
    }
};

class Agreement : public testing::TestWithParam<std::uint64_t> {
protected:
    void SetUp() override { BL_NEED_ROOT(); }

    void report(const Policy &policy, const Bytes &frame, const Kept &kept, Subject::Host host, std::uint64_t seed) {
        const Policy small = shrunk(policy, frame, kept, host);
        auto subject = Subject::load(small, kept, host);
        ADD_FAILURE() << "seed " << seed << ": " << (subject ? subject->disagreement(frame) : "") << "\nrules:\n"
                      << text_of(small) << "packet: " << harness::hex(frame) << "\n"
                      << "fields: " << model::parse(frame).text();
        if (subject)
            (void)subject->forget();
    }

    static Subject::Host host_of(std::uint64_t seed) { return {.generic = seed % 4 == 0, .listens = seed % 3 == 0}; }

    /// False when they disagree.
    bool judge_packets(const Policy &policy, Subject &subject, Random &random, const Kept &kept, std::uint64_t seed,
                       std::uint64_t packets) {
        for (std::uint64_t i = 0; i < packets; ++i) {
            const Bytes frame = model::random_packet(random, policy);
            if (!subject.disagreement(frame).empty()) {
                report(policy, frame, kept, host_of(seed), seed);
                return false;
            }
            coverage_.add(subject.last());
        }
        ++coverage_.policies;
        coverage_.plain += (subject.needs() & BL_NEEDS_PACKET) == 0 ? 1 : 0;
        coverage_.lean += subject.needs() == 0 ? 1 : 0;
        coverage_.far += (subject.needs() & BL_NEEDS_FAR_SCAN) != 0 ? 1 : 0;
        coverage_.rules += policy.rules.size();
        coverage_.hit += subject.seen_rules().size();
        return true;
    }

    void expect_coverage() const {
        EXPECT_GT(coverage_.hit * 2, coverage_.rules) << "rules that some packet met";
        EXPECT_GT(coverage_.plain * 5, coverage_.policies);
        EXPECT_GT(coverage_.lean * 50, coverage_.policies);
        EXPECT_GT(coverage_.far * 50, coverage_.policies);
        for (std::size_t code = 0; code < coverage_.codes.size(); ++code)
            EXPECT_GT(coverage_.codes[code] * 100, coverage_.packets) << "XDP code " << code;
        static constexpr const char *kNames[] = BL_EDGE_REASON_NAMES;
        for (std::uint32_t reason = BL_R_SHORT_VLAN; reason <= BL_EDGE_R_CSUM_FAILED; ++reason)
            EXPECT_GT(coverage_.reasons[reason] * 20'000, coverage_.packets) << kNames[reason];
        EXPECT_GT(coverage_.reasons[BL_EDGE_R_XSK_ABSENT], 0u);
    }

    Coverage coverage_;
};

TEST_P(Agreement, ProgramAndModelSayTheSameOfRandomPackets) {
    ASSERT_VALUE(const Kept kept, Kept::create());
    const std::uint64_t packets = number_from("BEELINE_MODEL_PACKETS", 1'000'000) / kParts;
    const std::uint64_t first_seed = number_from("BEELINE_MODEL_SEED", 1) + GetParam() * 1'000'000;
    std::uint64_t refused = 0, failures = 0;
    for (std::uint64_t seed = first_seed; coverage_.packets < packets && failures < 5; ++seed) {
        Random random(seed);
        const Policy policy = model::random_policy(random);
        auto subject = Subject::load(policy, kept, host_of(seed));
        if (!subject) {
            ASSERT_EQ(subject.error().kind, Kind::config) << subject.error().message() << "\n"
                                                          << subject.error().detail << text_of(policy);
            ASSERT_LT(++refused, 100u) << subject.error().message(); // too many negated values for an entry, say
            continue;
        }
        if (!judge_packets(policy, *subject, random, kept, seed, std::min(kPerPolicy, packets - coverage_.packets)))
            ++failures;
        ASSERT_OK(subject->forget());
    }
    std::cout << coverage_.packets << " packets judged, " << coverage_.hit << " of " << coverage_.rules
              << " rules met, " << refused << " policies too large\n";
    if (failures == 0 && packets >= 100'000)
        expect_coverage();
}

/// As many rules as the limits allow, of every kind: the verifier must take them, and the scan must reach the last one.
TEST_P(Agreement, LongTables) {
    ASSERT_VALUE(const Kept kept, Kept::create());
    const std::uint64_t seed = 77 + GetParam();
    Random random(seed);
    std::size_t rules = BL_EDGE_MAX_RULES;
    Policy policy;
    for (bool fits = false; !fits; rules = rules * 9 / 10) {
        policy = model::long_policy(random, rules);
        const auto tables = compile(policy, binding());
        fits = tables.has_value();
        ASSERT_TRUE(fits || tables.error().kind == Kind::config) << tables.error().message();
    }
    ASSERT_VALUE(Subject subject, Subject::load(policy, kept, host_of(seed)));
    EXPECT_GT(subject.entries(), BL_EDGE_MAX_ENTRIES / 2);
    ASSERT_TRUE(judge_packets(policy, subject, random, kept, seed, 5000));
    EXPECT_GT(*subject.seen_rules().rbegin(), policy.rules.size() - 10);
    ASSERT_OK(subject.forget());
}

INSTANTIATE_TEST_SUITE_P(Parts, Agreement, testing::Range(std::uint64_t{0}, kParts));

} // namespace
} // namespace beeline::edge
