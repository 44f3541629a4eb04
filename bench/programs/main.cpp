// SPDX-License-Identifier: Apache-2.0
//
// ./run bench programs [ROUNDS [NAME]]: rates of other people's programs by plain TCP, with Beeline and by AF_UNIX, in
// turns.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <thread>

#include <fmt/format.h>

#include "programs/loads.hpp"

namespace beeline::programs {
namespace {

struct Measured {
    std::map<Way, std::vector<double>> rates;
    std::uint64_t short_bytes = 0; ///< Of all runs with Beeline.
};

double median(std::vector<double> values) {
    std::ranges::sort(values);
    const std::size_t half = values.size() / 2;
    return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

std::string cell(const Measured &measured, Way way) {
    const auto found = measured.rates.find(way);
    if (found == measured.rates.end())
        return "-";
    const auto [low, high] = std::ranges::minmax(found->second);
    const std::string text = fmt::format("{:.0f} [{:.0f}-{:.0f}]", median(found->second), low, high);
    if (way == Way::tcp)
        return text;
    std::vector<double> ratios; // to the run of the same round: a host is not equally busy all the time
    for (std::size_t round = 0; round < found->second.size(); ++round)
        ratios.push_back(found->second[round] / measured.rates.at(Way::tcp).at(round));
    return fmt::format("{} **{:.2f}**", text, median(ratios));
}

Result<> run(Scene &scene, const Load &load, Way way, Measured &measured) {
    if (way == Way::beeline)
        BL_CHECK(scene.accelerate(Loads::rules(), load.trusted));
    std::this_thread::sleep_for(std::chrono::milliseconds(300)); // the host tidies up behind the run before
    BL_TRY(const double rate, load.run(way));
    measured.rates[way].push_back(rate);
    if (way == Way::beeline) {
        measured.short_bytes += scene.short_bytes();
        scene.plain();
    }
    return {};
}

Result<> bench(int rounds, const std::string &name) {
    BL_TRY(const auto scene, Scene::create());
    BL_TRY(const auto loads, Loads::start(*scene));
    fmt::print("| program | unit | TCP: median [min-max] of {} | Beeline, **median ratio to TCP** | AF_UNIX, **ratio** "
               "| short cut |\n"
               "|---|---|---|---|---|---|\n",
               rounds);
    for (const Load &load : loads->all()) {
        if (load.name.find(name) == std::string::npos)
            continue;
        Measured measured;
        for (int round = 0; round < rounds; ++round)
            for (int turn = 0; turn < 3; ++turn) { // each way comes first, second and last
                const Way way = std::array{Way::tcp, Way::beeline, Way::unix}.at((round + turn) % 3);
                if (way != Way::unix || load.speaks_unix)
                    BL_CHECK(run(*scene, load, way, measured));
            }
        fmt::print("| {} | {} | {} | {} | {} | {} |\n", load.name, load.unit, cell(measured, Way::tcp),
                   cell(measured, Way::beeline), cell(measured, Way::unix), measured.short_bytes == 0 ? "no" : "yes");
        std::fflush(stdout);
    }
    return {};
}

} // namespace
} // namespace beeline::programs

int main(int argc, char **argv) {
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 5;
    if (argc > 3 || rounds < 1) {
        fmt::print(stderr, "usage: {} [ROUNDS [NAME]]\n", argv[0]);
        return 2;
    }
    const auto done = beeline::programs::bench(rounds, argc > 2 ? argv[2] : "");
    if (!done)
        fmt::print(stderr, "bench: {}\n", done.error().message());
    return done ? 0 : 1;
}
