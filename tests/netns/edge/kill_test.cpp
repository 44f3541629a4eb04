// SPDX-License-Identifier: Apache-2.0
//
// A process that dies while it changes the edge: traffic is judged by one policy or the other, whoever comes next mends
// what is half done.
#include <algorithm>
#include <chrono>
#include <random>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.hpp"
#include "marks.hpp"
#include "traced.hpp"
#include "world.hpp"

namespace beeline::edge {
namespace {

using std::chrono::seconds;
using testing::AnyOf, testing::IsEmpty;

/// Cables v, w and x from a to b; the edge is on b.
class EdgeKilled : public testing::Test {
protected:
    void SetUp() override {
        BL_NEED_ROOT();
        ASSERT_VALUE(pair_, Pair::make({.silent = true}));
        for (const std::string name : {"w", "x"})
            ASSERT_OK(
                pair_->lab.cable({.node = pair_->a, .device = name + "a"}, {.node = pair_->b, .device = name + "b"}));
        for (const std::string name : {"v", "w", "x"}) {
            ASSERT_VALUE(auto from, Wire::open(*pair_->a, name + "a"));
            ASSERT_VALUE(auto to, Wire::open(*pair_->b, name + "b"));
            wires_.emplace(name + "b", std::pair(std::move(from), std::move(to)));
        }
        ASSERT_VALUE(host_, pair_->host_b());
        ASSERT_VALUE(world_, World::look(*pair_->b, pair_->lab.bpffs()));
    }
    Mark probe_on(const std::string &device) {
        const auto &[from, to] = wires_.at(device);
        return probe(from, to);
    }
    /// Both policies share vb; wb is A's alone, xb is B's.
    static Text a() { return marking_a({"vb", "wb"}); }
    static Text b() { return marking_b({"vb", "xb"}); }

    /// Which of the two is live by its status; none: no edge is up. All of it must fit together.
    Mark status_says() {
        const auto status = host_->status();
        if (!status) {
            EXPECT_THAT(status.error().message(), testing::HasSubstr("no edge is up"));
            return Mark::none;
        }
        std::vector<std::string> texts;
        for (const RuleStatus &rule : status->rules)
            texts.push_back(rule.text);
        const bool is_a = texts.at(1) == rule_of_a();
        Text expected = is_a ? a() : b();
        expected.rules.emplace_back("fallback -> pass");
        EXPECT_EQ(texts, expected.rules);
        std::vector<std::string> devices;
        for (const DeviceStatus &device : status->devices) {
            devices.push_back(device.name);
            EXPECT_TRUE(device.attached) << device.name;
        }
        EXPECT_EQ(devices, expected.devices);
        return is_a ? Mark::a : Mark::b;
    }
    /// What traffic says on all three devices, once it is mended, must be what status says.
    void expect_whole() {
        const Mark live = status_says();
        EXPECT_EQ(name(probe_on("vb")), name(live));
        EXPECT_EQ(name(probe_on("wb")), name(live == Mark::a ? Mark::a : Mark::none));
        EXPECT_EQ(name(probe_on("xb")), name(live == Mark::b ? Mark::b : Mark::none));
        const std::set<std::string> ours = live == Mark::none ? std::set<std::string>{}
                                           : live == Mark::a  ? std::set<std::string>{"vb", "wb"}
                                                              : std::set<std::string>{"vb", "xb"};
        for (const char *name : {"vb", "wb", "xb"})
            EXPECT_EQ(settled_empty(name), !ours.contains(name)) << name;
    }
    /// The kernel frees the links of a process that died in its own time.
    bool settled_empty(const std::string &name) {
        for (int tries = 0; tries < 1500; ++tries) { // a machine that is busy elsewhere takes its time
            const auto device = pair_->b->device(name);
            if (!device || device->xdp.empty())
                return true;
            const auto status = host_->status();
            if (status && std::ranges::any_of(status->devices, [&](const auto &d) { return d.name == name; }))
                return false;
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        return false;
    }
    /// Nothing that was begun and not finished lies about.
    void expect_tidy() {
        std::error_code error;
        for (const auto &entry : std::filesystem::directory_iterator(host_->pins(), error))
            EXPECT_EQ(entry.path().filename(), "edge");
    }

    std::unique_ptr<Pair> pair_;
    std::map<std::string, std::pair<Wire, Wire>> wires_;
    std::optional<Host> host_;
    std::optional<World> world_;
};

/// A change of the host that a process may die in the middle of.
struct Change {
    const char *sentence;
    std::function<Result<>(Host &)> before; ///< Brings the edge to where the change starts.
    std::function<Result<>(Host &)> change;
    std::vector<Mark> may_be; ///< Live afterwards, whenever it died.
};

void PrintTo(const Change &change, std::ostream *out) {
    *out << change.sentence;
}

template <class T>
Result<> done(Result<T> result) {
    BL_TRY([[maybe_unused]] const auto value, std::move(result));
    return {};
}

class EdgeKilledDuring : public EdgeKilled, public testing::WithParamInterface<Change> {
public:
    static std::vector<Change> changes() {
        const auto nothing = [](Host &) -> Result<> { return {}; };
        const auto up_a = [](Host &host) { return done(host.up(a())); };
        const auto on_trial = [](Host &host) -> Result<> {
            BL_CHECK(done(host.up(a())));
            return done(host.up(b(), seconds(300)));
        };
        return {
            {"the_first_up", nothing, up_a, {Mark::none, Mark::a}},
            {"a_reload", up_a, [](Host &host) { return done(host.up(b())); }, {Mark::a, Mark::b}},
            {"a_reload_on_trial",
             up_a,
             [](Host &host) { return done(host.up(b(), seconds(300))); },
             {Mark::a, Mark::b}},
            {"a_confirm", on_trial, [](Host &host) { return host.confirm(); }, {Mark::b}},
            {"a_rollback", on_trial, [](Host &host) { return done(host.rollback(2)); }, {Mark::a, Mark::b}},
            {"down", on_trial, [](Host &host) { return done(host.down()); }, {Mark::none}},
        };
    }
};

TEST_P(EdgeKilledDuring, leaves_one_policy_or_the_other_and_the_next_one_mends_it) {
    const Change &change = GetParam();
    const auto act = [&] { return change.change(*host_) ? 0 : 1; };
    const auto start = [&] {
        ASSERT_OK(host_->down());
        ASSERT_OK(change.before(*host_));
    };
    start();
    auto whole = run_traced(act);
    if (!whole && whole.error().kind == Kind::unsupported)
        GTEST_SKIP() << whole.error().message();
    ASSERT_VALUE(const Traced all, std::move(whole));
    ASSERT_EQ(all.status, 0);
    ASSERT_GE(all.steps.size(), 2U);
    std::set<Mark> seen;
    for (const std::size_t place : places_to_die(all.steps)) {
        SCOPED_TRACE(testing::Message() << "killed before step " << place << " of " << all.steps.size() << ", "
                                        << all.steps[place]);
        start();
        ASSERT_VALUE(const Traced traced, run_traced(act, place));
        ASSERT_TRUE(traced.killed);
        // Not mended yet: the packet itself is judged by one of the two, or by none where none is up.
        EXPECT_THAT(probe_on("vb"), AnyOf(Mark::none, Mark::a, Mark::b));
        if (change.may_be.front() != Mark::none) {
            EXPECT_NE(probe_on("vb"), Mark::none);
        }
        ASSERT_OK(host_->sweep()); // takes the lock, as every change does
        if (std::string(change.sentence) == "down")
            ASSERT_OK(host_->down()); // what has been detached stays so: another down goes on from there
        expect_whole();
        const Mark live = status_says();
        EXPECT_THAT(live, testing::AnyOfArray(change.may_be));
        seen.insert(live);
        const auto status = host_->status();
        if (status && !status->rollback_in)
            expect_tidy();
        if (status && status->rollback_in)
            ASSERT_OK(host_->confirm());
        ASSERT_OK(host_->up(a()));
        expect_whole();
        expect_tidy();
        EXPECT_EQ(status_says(), Mark::a);
        if (HasFailure())
            break;
    }
    EXPECT_THAT(seen, testing::IsSubsetOf(change.may_be));
    EXPECT_EQ(seen.size(), change.may_be.size()) << "it never died early, or never late";
    ASSERT_OK(host_->down());
    ASSERT_VALUE(const auto changes, world_->changes_since());
    EXPECT_THAT(changes, IsEmpty()) << lines(changes);
}

TEST_P(EdgeKilledDuring, leaves_nothing_that_down_does_not_remove) {
    const Change &change = GetParam();
    const auto act = [&] { return change.change(*host_) ? 0 : 1; };
    ASSERT_OK(change.before(*host_));
    auto whole = run_traced(act);
    if (!whole && whole.error().kind == Kind::unsupported)
        GTEST_SKIP() << whole.error().message();
    ASSERT_VALUE(const Traced all, std::move(whole));
    for (const std::size_t place : places_to_die(all.steps)) {
        SCOPED_TRACE(testing::Message() << "killed before step " << place << ", " << all.steps[place]);
        ASSERT_OK(host_->down());
        ASSERT_OK(change.before(*host_));
        ASSERT_OK(run_traced(act, place));
        ASSERT_OK(host_->down());
        EXPECT_FALSE(std::filesystem::exists(host_->pins()));
        for (const char *name : {"vb", "wb", "xb"})
            EXPECT_TRUE(settled_empty(name)) << name;
        if (HasFailure())
            break;
    }
    ASSERT_VALUE(const auto changes, world_->changes_since());
    EXPECT_THAT(changes, IsEmpty()) << lines(changes);
}

INSTANTIATE_TEST_SUITE_P(At, EdgeKilledDuring, testing::ValuesIn(EdgeKilledDuring::changes()),
                         [](const auto &instance) { return std::string(instance.param.sentence); });

/// Reloads to and fro until it is killed.
pid_t reloader(Host &host) {
    const pid_t child = ::fork();
    if (child == 0)
        while (true)
            for (const Text &text : {marking_b({"vb", "xb"}), marking_a({"vb", "wb"})})
                if (!host.up(text))
                    ::_exit(1);
    return child;
}

TEST_F(EdgeKilled, at_50_random_moments_of_reloading_no_packet_meets_a_mixture) {
    ASSERT_OK(host_->up(a()));
    const auto start = std::chrono::steady_clock::now();
    ASSERT_OK(host_->up(b()));
    ASSERT_OK(host_->up(a()));
    const auto one_reload = (std::chrono::steady_clock::now() - start) / 2;
    std::mt19937 random(20240923);
    std::map<Mark, int> seen;
    for (int round = 0; round < 50; ++round) {
        const pid_t child = reloader(*host_);
        ASSERT_GT(child, 0);
        const auto end = std::chrono::steady_clock::now() + random() % 1000 * one_reload * 3 / 1000;
        do
            ++seen[probe_on("vb")];
        while (std::chrono::steady_clock::now() < end);
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
        ASSERT_TRUE(WIFSIGNALED(status)) << "a reload failed";
        ++seen[probe_on("vb")];
        ASSERT_OK(host_->sweep());
        expect_whole();
        expect_tidy();
        ASSERT_FALSE(HasFailure()) << "round " << round;
    }
    EXPECT_EQ(seen[Mark::mixed] + seen[Mark::lost] + seen[Mark::none], 0);
    EXPECT_GT(seen[Mark::a], 0);
    EXPECT_GT(seen[Mark::b], 0);
    ASSERT_OK(host_->up(a()));
    expect_whole();
    ASSERT_OK(host_->down());
    ASSERT_VALUE(const auto changes, world_->changes_since());
    EXPECT_THAT(changes, IsEmpty()) << lines(changes);
}

} // namespace
} // namespace beeline::edge
