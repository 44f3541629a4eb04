// SPDX-License-Identifier: Apache-2.0
//
// An edge-triggered loop that does not read until EAGAIN, as epoll(7) allows: it believes that it knows what is there.
#pragma once

#include <netns/local/stage.hpp>

namespace beeline::conformance {

/// After a read: is there more?
using More = bool (*)(int fd, std::size_t got, std::size_t asked);

/// Reads all that `send` has sent before the reader looks for the first time.
void drained_by(Stage &stage, More more, void (*send)(End &client, Stream &sent));

} // namespace beeline::conformance
