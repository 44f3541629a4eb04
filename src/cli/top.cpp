// SPDX-License-Identifier: Apache-2.0
#include "cli/top_view.hpp"

#include <thread>

#include <unistd.h>

#include "cli/command.hpp"
#include "cli/event_feed.hpp"
#include "cli/screen.hpp"

namespace beeline::cli {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kInterval{1};

struct Options {
    bool once = false;
    std::string write;
};

Result<Sample> take_sample(Context &context) {
    BL_TRY(host::Status status, context.status());
    return Sample{.time = steady_clock::now(),
                  .status = std::move(status.edge),
                  .guests = std::move(status.guests),
                  .local = std::move(status.local)};
}

/// Two samples, one table.
Result<int> show_once(Context &context, EventFeed &feed) {
    BL_TRY(const Sample before, take_sample(context));
    BL_CHECK(feed.poll());
    std::this_thread::sleep_for(kInterval);
    BL_TRY(const Sample now, take_sample(context));
    BL_CHECK(feed.poll());
    for (const std::string &line :
         top_lines({.before = before, .now = now, .events = feed.events(), .note = feed.note()}, 0))
        context.out.line(line);
    return 0;
}

Result<> follow(Context &context, EventFeed &feed, Screen &screen) {
    BL_TRY(Sample before, take_sample(context));
    BL_CHECK(feed.poll());
    Sample now = before;
    auto next = steady_clock::now() + kInterval;
    for (;;) {
        screen.draw(
            top_lines({.before = before, .now = now, .events = feed.events(), .note = feed.note()}, screen.height()));
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(next - steady_clock::now());
        if (left.count() > 0 && screen.wait(left) == Screen::Key::quit)
            return {};
        if (steady_clock::now() < next)
            continue; // another key, or another size
        BL_TRY(Sample sample, take_sample(context));
        before = std::exchange(now, std::move(sample));
        BL_CHECK(feed.poll());
        next += kInterval;
        if (next < steady_clock::now()) // the machine slept
            next = steady_clock::now() + kInterval;
    }
}

Result<int> top(Context &context, const Options &options) {
    BL_TRY(const std::string pins, context.pins());
    BL_TRY(daemon::Client client, context.client());
    std::optional<edge::Edge> edge;
    if (auto opened = context.edge())
        edge.emplace(*std::move(opened));
    EventFeed feed(std::move(edge), pins, std::move(client));
    if (!options.write.empty()) {
        BL_TRY(auto writer, edge::PcapngWriter::create(options.write));
        feed.write_to(std::move(writer));
    }
    if (options.once || !context.out.is_terminal() || isatty(STDIN_FILENO) == 0)
        return show_once(context, feed);
    BL_TRY(Screen screen, Screen::open());
    BL_CHECK(follow(context, feed, screen));
    return 0;
}

} // namespace

void add_top(Commands &commands) {
    auto options = std::make_shared<Options>();
    Command command = commands.add("top", "What flows through Beeline, live; q quits",
                                   "sudo beeline top\nsudo beeline top --write log.pcapng",
                                   [options](Context &context) { return top(context, *options); });
    command.flag("--once", options->once, "One table after a second, then the end");
    command.option("--write", "FILE", options->write, "Write log events to a pcapng file");
}

} // namespace beeline::cli
