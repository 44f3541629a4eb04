// SPDX-License-Identifier: Apache-2.0
//
// A packet generator inside the kernel: BPF_PROG_TEST_RUN with live frames sends XDP frames out of a device, tens of
// millions a second and CPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <beeline/lab.h>

#include "lab/lab.hpp"

namespace beeline::lab {

/// Frames of one call into the kernel. Setting one up costs milliseconds: with 2^18 frames a call that is the figure.
inline constexpr std::uint32_t kFramesPerCall = 1u << 22;

struct Sent {
    std::uint64_t frames = 0;
    double cpu_seconds = 0; ///< Of the sending thread, the work of the receiving device's driver included.
    double wall_seconds = 0;

    [[nodiscard]] double ns_per_frame() const { return cpu_seconds / static_cast<double>(frames) * 1e9; }
    [[nodiscard]] double mpps() const { return static_cast<double>(frames) / wall_seconds / 1e6; }
};

/// Sends out of one device of one node; over veth that is into the peer. Not to be run by two threads at once.
class [[nodiscard]] Generator {
public:
    struct Options {
        const Node *node = nullptr;
        std::string device;
        std::vector<std::byte> frame; ///< At most about 3,500 bytes: one page.
        bl_lab_flows flows{};         ///< All zero: every frame is alike.
        bool restore = false;         ///< The receiver changes headers: put the first 64 bytes back for every frame.
        bool transmit = true;         ///< False: the frames are dropped at once, to know the generator's own cost.
    };

    [[nodiscard]] static Result<Generator> open(const Options &options);
    Generator(Generator &&) noexcept;
    Generator &operator=(Generator &&) = delete;
    ~Generator();

    /// Sends so many frames from the calling thread; pin it (PinnedToCpu), for veth hands the frames to the peer's
    /// program on the same CPU.
    [[nodiscard]] Result<Sent> run(std::uint64_t frames, std::uint32_t per_call = kFramesPerCall) const;

private:
    struct State;
    explicit Generator(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// n flows that differ in their source port, 1024 upwards.
[[nodiscard]] bl_lab_flows source_ports(std::uint32_t n, bool v6 = false);
/// n sources that differ in the last two bytes of the address. IPv4: the frame must be without a UDP checksum.
[[nodiscard]] bl_lab_flows sources(std::uint32_t n, bool v6 = false);

} // namespace beeline::lab
