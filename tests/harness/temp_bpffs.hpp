// SPDX-License-Identifier: Apache-2.0
//
// A bpffs of the test's own.
#pragma once

#include <filesystem>

#include <beeline/result.hpp>
#include <harness/cleanup.hpp>

namespace beeline::harness {

/// Mounted on a new directory below the temporary directory; unmounted with everything in it at the end.
class [[nodiscard]] TempBpffs {
public:
    [[nodiscard]] static Result<TempBpffs> mount();
    [[nodiscard]] const std::filesystem::path &path() const { return path_; }

private:
    TempBpffs(std::filesystem::path path, OnExit cleanup) : path_(std::move(path)), cleanup_(std::move(cleanup)) {}
    std::filesystem::path path_;
    OnExit cleanup_;
};

} // namespace beeline::harness
