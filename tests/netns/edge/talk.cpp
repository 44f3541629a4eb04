// SPDX-License-Identifier: Apache-2.0
#include "talk.hpp"

#include <chrono>
#include <memory>
#include <set>

#include <gtest/gtest.h>
#include <harness/assert.hpp>

#include "lab/stack_counters.hpp"

namespace beeline::edge {
namespace {

const char *name(lab::Transport transport) {
    return transport == lab::Transport::udp ? "UDP" : "TCP";
}

lab::Exchange exchange_of(const Talk &talk, lab::Transport transport) {
    const bool udp = transport == lab::Transport::udp;
    return {.address = talk.to,
            .port = talk.port,
            .transport = transport,
            .messages = talk.messages,
            .min_bytes = udp ? talk.udp_min : 16,
            .max_bytes = udp ? talk.udp_max : talk.tcp_max,
            .timeout = std::chrono::seconds(4), // of a machine that is busy elsewhere
            .udp_checksum = talk.udp_checksum};
}

std::int64_t errors_of(const lab::Node &node) {
    const auto counters = node.within(lab::read_stack_counters);
    return counters ? lab::checksum_errors(*counters) : -1;
}

} // namespace

void expect_good(const Talk &talk) {
    const std::set<const lab::Node *> nodes = {talk.client, talk.server};
    std::map<const lab::Node *, std::int64_t> errors;
    for (const lab::Node *node : nodes)
        errors[node] = errors_of(*node);
    {
        ASSERT_VALUE(const auto server,
                     lab::EchoServer::start(*talk.server, {.address = talk.listen.empty() ? talk.to : talk.listen,
                                                           .port = talk.listen_port}));
        for (const lab::Transport transport : talk.transports) {
            ASSERT_VALUE(const lab::Outcome outcome, lab::exchange(*talk.client, exchange_of(talk, transport)));
            EXPECT_TRUE(outcome.all_good(talk.messages))
                << name(transport) << ": " << outcome.answered << " of " << outcome.sent << " answered, "
                << outcome.damaged << " damaged";
            const auto tally = transport == lab::Transport::udp ? server->udp() : server->tcp();
            EXPECT_EQ(tally.messages, talk.messages) << name(transport);
            EXPECT_EQ(tally.damaged, 0U) << name(transport);
        }
    } // Has closed all connections, late.
    for (const lab::Node *node : nodes)
        EXPECT_EQ(errors_of(*node), errors[node]) << "checksum errors of " << node->name();
}

void expect_silence(const Talk &talk) {
    ASSERT_VALUE(const auto server,
                 lab::EchoServer::start(
                     *talk.server, {.address = talk.listen.empty() ? talk.to : talk.listen, .port = talk.listen_port}));
    for (const lab::Transport transport : talk.transports) {
        lab::Exchange exchange = exchange_of(talk, transport);
        exchange.timeout = std::chrono::milliseconds(200);
        ASSERT_VALUE(const lab::Outcome outcome, lab::exchange(*talk.client, exchange));
        EXPECT_EQ(outcome.answered, 0U) << name(transport);
        EXPECT_EQ(outcome.damaged, 0U) << name(transport);
    }
    EXPECT_EQ(server->udp().messages + server->tcp().messages, 0U);
}

} // namespace beeline::edge
