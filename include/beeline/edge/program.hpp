// SPDX-License-Identifier: Apache-2.0
//
// One policy in the kernel: its program and maps. Attached to nothing by itself: Edge puts it in the slot; explain,
// replay and the tests run it as it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <beeline/edge/tables.hpp>
#include <beeline/kernel/fd.hpp>
#include <beeline/result.hpp>

namespace beeline::edge {

/// Descriptors of BPF objects by name; names are those of the maps and programs in bpf/edge.
using Objects = std::map<std::string, kernel::UniqueFd>;

/// The maps that live through all generations, and the programs root and hold.
class [[nodiscard]] Kept {
public:
    /// Fresh ones.
    [[nodiscard]] static Result<Kept> create();
    [[nodiscard]] static Result<Kept> from_pins(const std::filesystem::path &directory);
    [[nodiscard]] Result<> pin(const std::filesystem::path &directory) const;

    /// The descriptor of a map ("edge_hits") or program ("edge_root"); stays Kept's. Aborts on a name that is none.
    [[nodiscard]] int fd(const std::string &name) const;

private:
    explicit Kept(Objects objects) : objects_(std::move(objects)) {}
    Objects objects_;
};

/// What the loaded program says about one frame.
struct Judgement {
    std::uint32_t rule = 0;    ///< Number of the rule that decides; Policy::rules counts from 0.
    std::uint32_t entry = 0;   ///< Table entry that matched.
    std::uint32_t xdp = 0;     ///< XDP_*: what the program returned.
    std::uint32_t reason = 0;  ///< BL_EDGE_R_*: the first odd thing the parser met; 0: none.
    std::uint32_t outcome = 0; ///< BL_EDGE_R_*: why the action was not done as the rule says, or what it took.
    std::uint64_t facts = 0;   ///< BL_FACT_*.
    std::uint32_t generation = 0;
    std::vector<std::byte> frame; ///< After a rewrite.
};

class [[nodiscard]] Program {
public:
    /// Loads the tables into the kernel, with the maps that kept holds.
    [[nodiscard]] static Result<Program> load(const Tables &tables, const Kept &kept);
    [[nodiscard]] static Result<Program> from_pins(const std::filesystem::path &directory);
    [[nodiscard]] Result<> pin(const std::filesystem::path &directory) const;

    /// Runs the program on a frame (Ethernet header first, at most 3,400 bytes) as if device ifindex had received it
    /// (0: none in particular). No counter, rate or log changes. Frames of less than 14 bytes are refused by the
    /// kernel (EINVAL).
    [[nodiscard]] Result<Judgement> judge(std::span<const std::byte> frame, std::uint32_t ifindex = 0) const;

    /// "edge_policy" and the policy's own maps.
    [[nodiscard]] int fd(const std::string &name) const;

private:
    explicit Program(Objects objects) : objects_(std::move(objects)) {}
    Objects objects_;
};

/// Runs prog_fd (edge_policy, or edge_root with a policy in its slot) as Program::judge does.
[[nodiscard]] Result<Judgement> judge(int prog_fd, std::span<const std::byte> frame, std::uint32_t ifindex);

} // namespace beeline::edge
