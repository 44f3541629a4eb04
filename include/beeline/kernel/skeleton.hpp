// SPDX-License-Identifier: Apache-2.0
//
// The two lives of a BPF object: Opened (its constants can be set, its maps sized) and Loaded (it is in the kernel).
// S is the class that `bpftool gen skeleton` emits; include the skeleton before using these.
//
//     BL_TRY(auto opened, Opened<edge_bpf>::open());
//     opened->rodata->cfg.devices = 2;
//     BL_TRY(auto loaded, std::move(opened).load());
//     bpf_program__fd(loaded->progs.edge_ingress);
#pragma once

#include <memory>
#include <string>

#include <bpf/libbpf.h>

#include <beeline/kernel/libbpf_log.hpp>
#include <beeline/result.hpp>

namespace beeline::kernel {

/// Why opening or loading an object failed, in one line and with the log's tail in Error::detail.
[[nodiscard]] std::unexpected<Error> skeleton_error(std::string_view verb, std::string_view object, int code,
                                                    const LibbpfLog &log);

template <class S>
struct SkeletonDeleter {
    void operator()(S *skeleton) const { S::destroy(skeleton); }
};
template <class S>
using SkeletonPtr = std::unique_ptr<S, SkeletonDeleter<S>>;

/// In the kernel. Maps, programs and links of it live until this ends, unless pinned or held elsewhere.
template <class S>
class [[nodiscard]] Loaded {
public:
    [[nodiscard]] const S *operator->() const noexcept { return skeleton_.get(); }
    [[nodiscard]] const auto &maps() const noexcept { return skeleton_->maps; }
    [[nodiscard]] const auto &progs() const noexcept { return skeleton_->progs; }
    [[nodiscard]] bpf_object *object() const noexcept { return skeleton_->obj; }

private:
    template <class>
    friend class Opened;
    explicit Loaded(SkeletonPtr<S> skeleton) : skeleton_(std::move(skeleton)) {}
    SkeletonPtr<S> skeleton_;
};

/// Parsed, not yet in the kernel.
template <class S>
class [[nodiscard]] Opened {
public:
    [[nodiscard]] static Result<Opened> open() {
        LibbpfLog log;
        errno = 0;
        SkeletonPtr<S> skeleton(S::open(nullptr));
        if (!skeleton)
            return skeleton_error("open", "BPF object", errno, log);
        return Opened(std::move(skeleton));
    }

    [[nodiscard]] S *operator->() noexcept { return skeleton_.get(); }
    /// The object's `const volatile` variables, for writing; frozen by load().
    [[nodiscard]] auto *rodata() noexcept { return skeleton_->rodata; }
    [[nodiscard]] auto &maps() noexcept { return skeleton_->maps; }
    [[nodiscard]] auto &progs() noexcept { return skeleton_->progs; }
    [[nodiscard]] bpf_object *object() noexcept { return skeleton_->obj; }

    /// Creates the maps and loads the programs. A verifier's refusal keeps the tail of its log in Error::detail.
    [[nodiscard]] Result<Loaded<S>> load() && {
        LibbpfLog log;
        if (const int error = S::load(skeleton_.get()); error != 0)
            return skeleton_error("load", bpf_object__name(skeleton_->obj), -error, log);
        return Loaded<S>(std::move(skeleton_));
    }

private:
    explicit Opened(SkeletonPtr<S> skeleton) : skeleton_(std::move(skeleton)) {}
    SkeletonPtr<S> skeleton_;
};

} // namespace beeline::kernel
