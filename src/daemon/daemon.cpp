// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon.hpp"

#include <array>
#include <chrono>
#include <cstdlib>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <beeline/config/config.hpp>
#include <beeline/edge/capture.hpp>
#include <beeline/edge/events.hpp>
#include <beeline/kernel/capabilities.hpp>
#include <beeline/kernel/network_monitor.hpp>

#include "daemon/event_loop.hpp"
#include "daemon/http_server.hpp"
#include "daemon/local_pump.hpp"
#include "daemon/notify.hpp"
#include "daemon/repeated.hpp"
#include "daemon/service.hpp"

namespace beeline::daemon {
namespace {

/// What goes on after the start: bpf(2) and rtnetlink as always. SYS_ADMIN because the kernel opens programs and maps
/// by their id, which inner maps of sets and the programs of others need, for that capability only, and because guests'
/// network namespaces are entered. SYS_PTRACE and DAC_READ_SEARCH because [local] looks into the files that other
/// users' processes run (docs/local.md).
constexpr std::array kKept = {kernel::Capability::bpf,        kernel::Capability::net_admin,
                              kernel::Capability::perfmon,    kernel::Capability::sys_admin,
                              kernel::Capability::sys_ptrace, kernel::Capability::dac_read_search};

void set_up_log() {
    auto logger = std::make_shared<spdlog::logger>("beeline", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    // The journal has its own clock.
    logger->set_pattern(std::getenv("JOURNAL_STREAM") != nullptr ? "%l: %v" : "%Y-%m-%d %H:%M:%S.%e %l: %v");
    logger->flush_on(spdlog::level::trace);
    spdlog::set_default_logger(std::move(logger));
}

void set_log_level(config::LogLevel level) {
    constexpr std::array kLevels = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn, spdlog::level::err};
    spdlog::set_level(kLevels[static_cast<std::size_t>(level)]);
}

/// The log of the edge, over `down` and `up` of other processes.
class LogPump {
public:
    LogPump(Service &service, EventLoop &loop, std::filesystem::path pins, std::optional<edge::PcapngWriter> file)
        : service_(service), loop_(loop), pins_(std::move(pins)), file_(std::move(file)) {}

    /// Opens the ring buffer when there is one, and follows reloads.
    Result<> tick() {
        if (reader_) {
            BL_TRY(const bool same, reader_->refresh(service_.edge()));
            if (!same) {
                (void)reader_->consume();
                BL_CHECK(loop_.watch(Source::log, std::nullopt));
                reader_.reset();
            }
        }
        BL_TRY(const bool up, service_.edge().is_up());
        if (!reader_ && up) {
            BL_TRY(auto reader, edge::EventReader::open(service_.edge(), pins_,
                                                        [this](edge::LogEvent event) { take(std::move(event)); }));
            BL_CHECK(loop_.watch(Source::log, reader.epoll_fd()));
            reader_ = std::move(reader);
        }
        if (file_)
            BL_CHECK(file_->flush());
        return std::exchange(written_, {});
    }

    Result<> consume() {
        if (!reader_)
            return {};
        BL_TRY([[maybe_unused]] const unsigned count, reader_->consume());
        return {};
    }

private:
    void take(edge::LogEvent event) {
        if (file_ && written_)
            written_ = file_->write(edge::packet_of(event));
        service_.events().add(std::move(event));
    }

    Service &service_;
    EventLoop &loop_;
    std::filesystem::path pins_;
    std::optional<edge::PcapngWriter> file_;
    Result<> written_; ///< The first failure since the last tick.
    std::optional<edge::EventReader> reader_;
};

/// Looks after the guests: once a second, and as soon as the network changes.
class Keeper {
public:
    Keeper(Service &service, kernel::NetworkMonitor monitor) : service_(service), monitor_(std::move(monitor)) {}

    void tick() {
        looked_ = std::chrono::steady_clock::now();
        errors_.report(service_.maintain(), "guests");
    }
    /// What happened is not asked for: maintain() looks at everything. A storm of changes is left to the next tick.
    void network_changed() {
        const auto events = monitor_.drain();
        drains_.report(events ? Result<>{} : std::unexpected(events.error()), "network monitor");
        if (std::chrono::steady_clock::now() - looked_ >= kPause)
            tick();
    }

private:
    static constexpr std::chrono::milliseconds kPause{50};
    Service &service_;
    kernel::NetworkMonitor monitor_;
    Repeated errors_, drains_;
    std::chrono::steady_clock::time_point looked_{};
};

/// All that is looked after besides the requests.
struct Duties {
    LogPump log;
    Keeper keeper;
    LocalPump local;
};

Result<> loop(EventLoop &events, Service &service, Duties &duties) {
    Repeated ticks, logs;
    logs.report(duties.log.tick(), "log");
    duties.local.tick();
    for (;;) {
        BL_TRY(const EventLoop::Wake wake, events.wait(duties.local.pause()));
        if (wake.from(Source::log))
            logs.report(duties.log.consume(), "log");
        if (wake.from(Source::network))
            duties.keeper.network_changed();
        if (wake.reload) {
            notify_reloading();
            (void)service.reload(); // tells its errors itself
            notify_systemd("READY=1");
        }
        if (wake.tick || wake.reload) {
            ticks.report(service.tick(), "tick");
            duties.keeper.tick();
            logs.report(duties.log.tick(), "log");
            duties.local.tick();
        } else if (wake.from(Source::sockets) || duties.local.pause()) {
            duties.local.tend();
        }
        if (wake.end) {
            spdlog::info("ending; what is in the kernel stays (beeline down removes it)");
            notify_systemd("STOPPING=1");
            return {};
        }
    }
}

/// Makes the host what the file says. A change of somebody else that waits for its confirmation goes first: it is kept,
/// and rolled back in time; the file is read at the next reload then.
Result<> start(Service &service) {
    const auto report = service.reload();
    if (report || report.error().kind != Kind::conflict)
        return report ? Result<>{} : std::unexpected(report.error());
    const auto status = service.status();
    if (!status || !status->edge || !status->edge->rollback_in)
        return std::unexpected(report.error());
    spdlog::warn("generation {} is taken over as it is; reload to read the file", status->edge->generation);
    return {};
}

} // namespace

Result<> run(const DaemonOptions &options) {
    set_up_log();
    BL_TRY(config::Config config, load_logged(options.config_file));
    set_log_level(config.log);
    const std::string pins = options.pins.value_or(config.pins);
    BL_TRY(EventLoop events, EventLoop::create());
    BL_TRY(host::Host host, host::Host::open(pins));
    Service service(config, std::move(host));

    // The addresses first: a second daemon must not touch what the first one looks after.
    BL_TRY(HttpServer control, HttpServer::open_control(config.control, service));
    std::optional<HttpServer> metrics;
    if (config.metrics.enabled()) {
        BL_TRY(auto server, HttpServer::open_metrics(config.metrics, service));
        metrics.emplace(std::move(server));
    }
    std::optional<edge::PcapngWriter> file;
    if (options.events) {
        BL_TRY(auto writer, edge::PcapngWriter::create(*options.events));
        file.emplace(std::move(writer));
    }
    BL_TRY(auto monitor, kernel::NetworkMonitor::open());
    BL_CHECK(events.watch(Source::network, monitor.fd()));
    BL_CHECK(start(service));
    BL_CHECK(kernel::drop_capabilities_except(kKept));

    Duties duties{.log = LogPump(service, events, pins, std::move(file)),
                  .keeper = Keeper(service, std::move(monitor)),
                  .local = LocalPump(events, pins)};
    BL_CHECK(control.serve());
    if (metrics)
        BL_CHECK(metrics->serve());
    notify_systemd("READY=1");
    spdlog::info("control socket {}", config.control.socket);
    return loop(events, service, duties);
}

} // namespace beeline::daemon
