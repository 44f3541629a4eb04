// SPDX-License-Identifier: Apache-2.0
//
// Which BPF objects were made, and whether they are gone. Other programs' objects come and go meanwhile, so it is those
// that were seen pinned that are looked for, by their ids.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <beeline/result.hpp>

namespace beeline::lab {

class ObjectsSeen {
public:
    /// Notes every program, map and link pinned at or below a directory of a bpffs.
    [[nodiscard]] Result<> note(const std::filesystem::path &directory);

    [[nodiscard]] std::size_t count() const { return ids_.size(); }
    /// Those that are still there after a while ("program 17"): the kernel frees them late.
    [[nodiscard]] std::vector<std::string>
    remaining(std::chrono::milliseconds patience = std::chrono::seconds(3)) const;

private:
    enum class Kind : std::uint8_t { program, map, link };
    [[nodiscard]] static bool exists(Kind kind, std::uint32_t id);
    std::set<std::pair<Kind, std::uint32_t>> ids_;
};

} // namespace beeline::lab
