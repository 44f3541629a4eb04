// SPDX-License-Identifier: Apache-2.0
#include "accelerator.hpp"

#include <netns/local/beeline.hpp>
#include <netns/local/naive.hpp>

namespace beeline::conformance {
namespace {

class PlainTcp : public Accelerator {
public:
    [[nodiscard]] bool has_short_cut() const override { return false; }
    [[nodiscard]] bool on_short_cut(int) const override { return false; }
    [[nodiscard]] std::string reason(int) const override { return "plain"; }
    [[nodiscard]] std::uint64_t redirected(int) const override { return 0; }
};

} // namespace

Result<std::unique_ptr<Accelerator>> Accelerator::start(Mode mode, const kernel::Cgroup &cgroup) {
    switch (mode) {
    case Mode::tcp:
        return std::make_unique<PlainTcp>();
    case Mode::naive:
        return start_naive(cgroup);
    case Mode::beeline:
        return start_beeline(cgroup);
    }
    return fail(Kind::usage, 0, "no such mode");
}

} // namespace beeline::conformance
