// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "cli/top_view.hpp"
#include "unit/cli/sample.hpp"

namespace beeline::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class TopView_ : public testing::Test {
protected:
    TopView_() {
        before_.status = now_.status = sample_status();
        now_.time = before_.time + std::chrono::seconds(2);
        now_.status->rules[0].packets += 3'000'000;
        now_.status->rules[0].bytes += 192'000'000;
    }
    std::vector<std::string> lines(std::size_t height) {
        return top_lines({.before = before_, .now = now_, .events = events_, .note = "log:"}, height);
    }
    std::string text(std::size_t height) {
        std::string all;
        for (const std::string &line : lines(height))
            all += line + "\n";
        return all;
    }
    Sample before_, now_;
    std::deque<edge::LogEvent> events_;
};

TEST_F(TopView_, ShowsRatesOverTheTimeBetween) {
    const auto all = lines(0);
    EXPECT_EQ(all[0], "beeline  generation 4  1.50M pps  768Mbit/s  4,000,017 packets");
    EXPECT_EQ(all[1], "eth0 native, eth1 generic (gone)");
    EXPECT_THAT(text(0), HasSubstr("1  1.50M   768M  4,000,000  src @blocklist -> drop\n"));
    EXPECT_THAT(text(0), HasSubstr("rolls back in 53 s"));
    EXPECT_THAT(text(0), HasSubstr("odd: short_ip 3\n"));
}

TEST_F(TopView_, KnowsARuleByItsTextNotByItsPlace) {
    std::swap(now_.status->rules[0], now_.status->rules[3]);
    EXPECT_THAT(text(0), HasSubstr("4  1.50M   768M  4,000,000  src @blocklist -> drop\n"));
}

TEST_F(TopView_, CountersThatBeganAnewHaveNoRate) {
    now_.status->rules[0].packets = 3;
    now_.status->rules[0].bytes = 180;
    EXPECT_THAT(text(0), HasSubstr("1    0      0        3  src @blocklist -> drop\n"));
}

TEST_F(TopView_, FitsEveryHeight) {
    for (int i = 0; i < 300; ++i)
        now_.status->rules.push_back({"tcp dport " + std::to_string(i) + " -> drop", 0, 1, 60});
    for (int i = 0; i < 50; ++i) {
        events_.emplace_back();
        events_.back().device = "event" + std::to_string(i);
    }
    for (std::size_t height = 1; height < 80; ++height)
        EXPECT_LE(lines(height).size(), height);
    EXPECT_EQ(lines(24).size(), 24U) << "a full screen is used";
    EXPECT_THAT(text(24), HasSubstr("more rules"));
    EXPECT_THAT(text(24), HasSubstr("event49")) << "the newest event is shown";
    EXPECT_THAT(text(24), testing::Not(HasSubstr("event0 ")));
}

TEST_F(TopView_, ShowsGuestsWithWhatPassedAndWhatWasDropped) {
    before_.guests = now_.guests = sample_guests();
    now_.guests->guests[0].rules.push_back({"in -> log drop", 13, 9, 900});
    before_.guests->guests[0].rules.push_back({"in -> log drop", 13, 1, 100});
    now_.guests->guests[0].rules[0].packets += 2'000;
    now_.guests->guests[0].rules[1].bytes += 1'000'000;
    EXPECT_THAT(text(0), testing::ContainsRegex("guest +by +pps +bit/s +packets +drops/s +drops +flows\n"
                                                "web \\(gone\\) +veth +1\\.00k +4\\.00M +2,012 +4 +9 +4\n"
                                                "guests, odd: rule 3\n"));
    EXPECT_THAT(text(0), HasSubstr("src @blocklist -> drop\n")) << "the edge is below";
    now_.status.reset();
    EXPECT_THAT(lines(0).at(0), HasSubstr("drops/s")) << "guests without an edge";
    EXPECT_THAT(text(0), testing::Not(HasSubstr("no edge")));
}

TEST_F(TopView_, AGuestThatIsNewOrBeganAnewHasNoRate) {
    now_.guests = sample_guests();
    EXPECT_THAT(text(0), testing::ContainsRegex("web \\(gone\\) +veth +0 +0 +12 +0 +0 +4\n"));
    before_.guests = sample_guests();
    now_.guests->guests[0].rules[0].packets = 1;
    now_.guests->guests[0].rules[0].bytes = 60;
    EXPECT_THAT(text(0), testing::ContainsRegex("web \\(gone\\) +veth +0 +0 +8 +0 +0 +4\n"));
}

TEST_F(TopView_, ManyGuestsFitEveryHeight) {
    now_.guests = sample_guests();
    now_.guests->guests.resize(60, now_.guests->guests[0]);
    for (std::size_t height = 1; height < 80; ++height) {
        EXPECT_LE(lines(height).size(), height);
        if (height > 12) {
            EXPECT_THAT(text(height), HasSubstr("more guests")) << height;
        }
    }
    EXPECT_THAT(text(24), HasSubstr("fallback -> pass")) << "rules of the edge have room";
    now_.status.reset();
    for (std::size_t height = 1; height < 80; ++height)
        EXPECT_LE(lines(height).size(), height);
}

TEST_F(TopView_, ShowsTheRatesOfLocalByTheWayTaken) {
    before_.local = now_.local = sample_local();
    now_.local->rules[0].short_messages += 500;
    now_.local->rules[0].short_bytes += 1000;
    now_.local->rules[0].tcp_messages += 20;
    const std::string seen = text(0);
    EXPECT_THAT(seen, HasSubstr("\n          9          250  4.00k         10      0  dport 5432 -> accelerate\n"));
    EXPECT_THAT(seen, HasSubstr("on TCP: small 3, splices 1\n"));
    now_.guests = sample_guests();
    for (std::size_t height = 1; height < 80; ++height)
        EXPECT_LE(lines(height).size(), height);
    now_.status.reset();
    for (std::size_t height = 1; height < 80; ++height)
        EXPECT_LE(lines(height).size(), height);
    now_.guests.reset();
    EXPECT_THAT(text(24), HasSubstr("dport 5432")) << "alone";
}

TEST_F(TopView_, SaysThatNothingIsUp) {
    now_.status.reset();
    EXPECT_THAT(lines(24), ElementsAre("nothing is up"));
}

} // namespace
} // namespace beeline::cli
