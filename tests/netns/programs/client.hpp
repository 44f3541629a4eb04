// SPDX-License-Identifier: Apache-2.0
//
// A client of any protocol whose replies are known in advance, with a non-blocking socket.
#pragma once

#include <string>
#include <string_view>

#include "netns/programs/scene.hpp"

namespace beeline::programs {

class Client {
public:
    /// To 127.0.0.1 in the scene; tries until somebody listens.
    [[nodiscard]] static Result<Client> connect(const Scene &scene, std::uint16_t port);

    /// To a socket of AF_UNIX.
    [[nodiscard]] static Result<Client> connect(const std::string &path);

    /// Sends, and receives at the same time until so many bytes have come. Fails when nothing moves for 20 s.
    [[nodiscard]] Result<std::string> ask(std::string_view request, std::size_t size);
    /// The same, up to and including this text.
    [[nodiscard]] Result<std::string> ask_until(std::string_view request, std::string_view end);
    /// Bytes that it has sent.
    [[nodiscard]] std::uint64_t sent() const { return sent_; }

private:
    explicit Client(kernel::UniqueFd fd) : fd_(std::move(fd)) {}
    template <class Complete>
    [[nodiscard]] Result<std::string> exchange(std::string_view request, std::size_t at_most, Complete &&complete);
    [[nodiscard]] Result<> send(std::string_view &rest);
    [[nodiscard]] Result<> receive(std::string &reply, std::size_t at_most);

    kernel::UniqueFd fd_;
    std::uint64_t sent_ = 0;
};

/// So many bytes, the same ones for equal seeds.
[[nodiscard]] std::string bytes(std::size_t size, std::uint32_t seed);

} // namespace beeline::programs
