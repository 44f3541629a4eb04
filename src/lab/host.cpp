// SPDX-License-Identifier: Apache-2.0
#include "lab/host.hpp"

#include <array>
#include <cstring>
#include <ctime>
#include <fstream>
#include <numeric>
#include <optional>
#include <sstream>
#include <thread>

#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fmt/format.h>

namespace beeline::lab {
namespace {

struct CpuTimes {
    double idle = 0, all = 0;
};

/// First line of /proc/stat: cpu user nice system idle iowait irq softirq steal, in ticks.
std::optional<CpuTimes> cpu_times() {
    std::ifstream file("/proc/stat");
    std::string word;
    std::array<double, 8> ticks{};
    file >> word;
    for (double &t : ticks)
        file >> t;
    if (!file)
        return std::nullopt;
    return CpuTimes{.idle = ticks[3] + ticks[4], .all = std::accumulate(ticks.begin(), ticks.end(), 0.0)};
}

double seconds(clockid_t id) {
    timespec t{};
    ::clock_gettime(id, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

} // namespace

HostFacts host_facts() {
    HostFacts facts{.cpu = "unknown CPU", .cpus = static_cast<unsigned>(::sysconf(_SC_NPROCESSORS_ONLN)), .kernel = ""};
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("model name") && line.find(": ") != std::string::npos) {
            facts.cpu = line.substr(line.find(": ") + 2);
            break;
        }
    }
    if (utsname name{}; ::uname(&name) == 0)
        facts.kernel = name.release;
    return facts;
}

bool wait_quiet(double share, std::chrono::milliseconds timeout) {
    const auto end = std::chrono::steady_clock::now() + timeout;
    while (std::chrono::steady_clock::now() < end) {
        const auto before = cpu_times();
        std::this_thread::sleep_for(std::chrono::milliseconds(400));
        const auto after = cpu_times();
        if (!before || !after)
            return false;
        if (after->all > before->all && (after->idle - before->idle) / (after->all - before->all) >= share)
            return true;
    }
    return false;
}

Result<PinnedToCpu> PinnedToCpu::pin(int cpu) {
    cpu_set_t before;
    cpu_set_t wanted;
    CPU_ZERO(&wanted);
    CPU_SET(cpu, &wanted);
    if (::sched_getaffinity(0, sizeof before, &before) != 0 || ::sched_setaffinity(0, sizeof wanted, &wanted) != 0)
        return fail_errno(errno, fmt::format("pin to CPU {}", cpu), "choose a CPU that is online");
    std::string kept(sizeof before, '\0');
    std::memcpy(kept.data(), &before, sizeof before);
    return PinnedToCpu(std::move(kept));
}

PinnedToCpu::PinnedToCpu(std::string before) : before_(std::move(before)) {}
PinnedToCpu::PinnedToCpu(PinnedToCpu &&other) noexcept : before_(std::exchange(other.before_, {})) {}

PinnedToCpu::~PinnedToCpu() {
    if (before_.empty())
        return;
    cpu_set_t set;
    std::memcpy(&set, before_.data(), sizeof set);
    ::sched_setaffinity(0, sizeof set, &set);
}

double thread_cpu_seconds() {
    return seconds(CLOCK_THREAD_CPUTIME_ID);
}
double wall_seconds() {
    return seconds(CLOCK_MONOTONIC);
}

} // namespace beeline::lab
