// SPDX-License-Identifier: Apache-2.0
#include "daemon/metrics.hpp"

#include <algorithm>
#include <map>
#include <sstream>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <beeline/edge/judge.hpp>
#include <beeline/edge/parse.hpp>

namespace beeline::daemon {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

class Families {
public:
    void add(const std::string &name, const std::string &help, MetricType type) {
        families_.push_back({.name = name, .help = help, .type = type, .metric = {}});
    }
    /// To the family added last.
    void value(double value, Labels labels = {}) {
        ClientMetric metric;
        metric.label = std::move(labels);
        metric.gauge.value = metric.counter.value = value; // the serializer takes the one of the type
        families_.back().metric.push_back(std::move(metric));
    }
    void one(const std::string &name, const std::string &help, MetricType type, double number) {
        add(name, help, type);
        value(number);
    }
    [[nodiscard]] std::string text() const {
        std::ostringstream out;
        prometheus::TextSerializer().Serialize(out, families_);
        return out.str();
    }

private:
    std::vector<MetricFamily> families_;
};

/// Rule texts made unique, as two series must not have the same labels: the second one is "text #2".
template <class Rule>
std::vector<std::string> rule_labels(const std::vector<Rule> &rules) {
    std::map<std::string, unsigned> seen;
    std::vector<std::string> labels;
    for (const Rule &rule : rules) {
        const unsigned nth = ++seen[rule.text];
        labels.push_back(nth == 1 ? rule.text : rule.text + " #" + std::to_string(nth));
    }
    return labels;
}

void add_rules(Families &families, const Service::Snapshot &snapshot) {
    const std::vector<edge::RuleStatus> &rules = snapshot.status->rules;
    const std::vector<std::string> labels = rule_labels(rules);
    const auto add = [&](const char *name, const char *help, std::uint64_t edge::RuleStatus::*field) {
        families.add(name, help, MetricType::Counter);
        for (std::size_t i = 0; i < rules.size(); ++i) {
            const bool known = i < snapshot.verdicts.size();
            families.value(
                static_cast<double>(rules[i].*field),
                {{"rule", labels[i]}, {"verdict", known ? std::string(edge::verdict_name(snapshot.verdicts[i])) : ""}});
        }
    };
    add("beeline_edge_packets_total", "Packets that a rule decided", &edge::RuleStatus::packets);
    add("beeline_edge_bytes_total", "Bytes of these packets, from the Ethernet header on", &edge::RuleStatus::bytes);
}

void add_edge(Families &families, const Service::Snapshot &snapshot) {
    const edge::Status &status = *snapshot.status;
    families.one("beeline_edge_generation", "Number of the policy that is live", MetricType::Gauge, status.generation);
    families.one("beeline_edge_unconfirmed", "1 while a change waits for beeline confirm", MetricType::Gauge,
                 status.rollback_in ? 1 : 0);
    add_rules(families, snapshot);
    families.add("beeline_edge_odd_total", "Packets and events that were odd, by reason", MetricType::Counter);
    for (const auto &[name, count] : status.odd)
        families.value(static_cast<double>(count), {{"reason", name}});
    families.add("beeline_edge_device_attached", "1 when the edge is attached to the device", MetricType::Gauge);
    for (const edge::DeviceStatus &device : status.devices)
        families.value(device.attached ? 1 : 0,
                       {{"device", device.name}, {"mode", std::string(edge::mode_name(device.mode))}});
    families.add("beeline_edge_set_entries", "Entries of a set", MetricType::Gauge);
    for (const edge::SetStatus &set : status.sets)
        families.value(static_cast<double>(set.entries),
                       {{"set", set.name}, {"type", std::string(edge::to_text(set.type))}});
}

using GuestField = std::uint64_t guest::RuleStatus::*;

void add_guest_rules(Families &families, const guest::Status &status, const char *name, const char *help,
                     GuestField field) {
    families.add(name, help, MetricType::Counter);
    for (const guest::GuestStatus &guest : status.guests) {
        const std::vector<std::string> labels = rule_labels(guest.rules);
        for (std::size_t i = 0; i < guest.rules.size(); ++i)
            families.value(static_cast<double>(guest.rules[i].*field), {{"guest", guest.name}, {"rule", labels[i]}});
    }
}

void add_guests(Families &families, const guest::Status &status) {
    families.one("beeline_guest_generation", "Number of the last change of guests, rules, ports or uplinks",
                 MetricType::Gauge, status.generation);
    add_guest_rules(families, status, "beeline_guest_packets_total", "Packets of flows that a guest's rule decided",
                    &guest::RuleStatus::packets);
    add_guest_rules(families, status, "beeline_guest_bytes_total", "Bytes of these packets", &guest::RuleStatus::bytes);
    families.add("beeline_guest_attached", "1 when the guest's device is there and judged", MetricType::Gauge);
    for (const guest::GuestStatus &guest : status.guests)
        families.value(guest.attached ? 1 : 0,
                       {{"guest", guest.name}, {"wiring", std::string(guest::name(guest.wiring))}});
    families.add("beeline_guest_guests", "Guests by their wiring", MetricType::Gauge);
    for (const auto wiring :
         {guest::Wiring::netkit_l3, guest::Wiring::netkit_l2, guest::Wiring::veth, guest::Wiring::tap})
        families.value(static_cast<double>(std::ranges::count(status.guests, wiring, &guest::GuestStatus::wiring)),
                       {{"wiring", std::string(guest::name(wiring))}});
    families.one("beeline_guest_flows", "Entries in the flow table, two for each flow", MetricType::Gauge,
                 status.flows);
    families.one("beeline_guest_flows_max", "Size of the flow table", MetricType::Gauge, status.flows_most);
    families.add("beeline_guest_odd_total", "Packets and events that were odd, by reason", MetricType::Counter);
    for (const auto &[name, count] : status.odd)
        families.value(static_cast<double>(count), {{"reason", name}});
}

void add_local_rules(Families &families, const local::Status &status) {
    const std::vector<std::string> labels = rule_labels(status.rules);
    families.add("beeline_local_chosen_total", "Connections that a rule chose", MetricType::Counter);
    for (std::size_t i = 0; i < labels.size(); ++i)
        families.value(static_cast<double>(status.rules[i].connections), {{"rule", labels[i]}});
    const auto add = [&](const char *name, const char *help, std::uint64_t local::Rule::*by_short,
                         std::uint64_t local::Rule::*by_tcp) {
        families.add(name, help, MetricType::Counter);
        for (std::size_t i = 0; i < labels.size(); ++i) {
            families.value(static_cast<double>(status.rules[i].*by_short), {{"rule", labels[i]}, {"way", "short"}});
            families.value(static_cast<double>(status.rules[i].*by_tcp), {{"rule", labels[i]}, {"way", "tcp"}});
        }
    };
    add("beeline_local_bytes_total", "Bytes that chosen connections sent, by the way they took",
        &local::Rule::short_bytes, &local::Rule::tcp_bytes);
    add("beeline_local_messages_total", "The sends of these bytes", &local::Rule::short_messages,
        &local::Rule::tcp_messages);
}

void add_local(Families &families, const local::Status &status) {
    families.add("beeline_local_connections", "Connections that are looked after, by state", MetricType::Gauge);
    for (std::size_t i = 0; i < local::kStates; ++i)
        families.value(static_cast<double>(status.by_state.at(i)),
                       {{"state", std::string(local::name(static_cast<local::State>(i)))}});
    add_local_rules(families, status);
    families.add("beeline_local_reasons_total", "Why connections, or single messages, stayed on TCP",
                 MetricType::Counter);
    for (const auto &[name, count] : status.reasons)
        families.value(static_cast<double>(count), {{"reason", name}});
}

} // namespace

std::string metrics_text(const Service::Snapshot &snapshot) {
    Families families;
    families.one("beeline_edge_up", "1 when an edge is up on this host", MetricType::Gauge, snapshot.status ? 1 : 0);
    if (snapshot.status)
        add_edge(families, snapshot);
    families.one("beeline_guest_up", "1 when this host has guests, or is ready for some", MetricType::Gauge,
                 snapshot.guests ? 1 : 0);
    if (snapshot.guests)
        add_guests(families, *snapshot.guests);
    families.one("beeline_local_up", "1 when [local] is up on this host", MetricType::Gauge, snapshot.local ? 1 : 0);
    if (snapshot.local)
        add_local(families, *snapshot.local);
    const ServiceCounts &counts = snapshot.counts;
    families.add("beeline_reloads_total", "Reloads of the config file", MetricType::Counter);
    families.value(static_cast<double>(counts.reloads), {{"result", "good"}});
    families.value(static_cast<double>(counts.failed_reloads), {{"result", "failed"}});
    families.one("beeline_last_reload_good", "1 when the last reload worked", MetricType::Gauge,
                 counts.last_reload_good ? 1 : 0);
    families.one("beeline_edge_events_total", "Log events that this daemon read", MetricType::Counter,
                 static_cast<double>(counts.events));
    families.one("beeline_edge_set_expired_total", "Set entries removed because their time was over",
                 MetricType::Counter, static_cast<double>(counts.swept));
    families.one("beeline_guest_gone_total", "Guests cleaned away because their device or namespace was gone",
                 MetricType::Counter, static_cast<double>(counts.guests_gone));
    return families.text();
}

} // namespace beeline::daemon
