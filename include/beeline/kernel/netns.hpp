// SPDX-License-Identifier: Apache-2.0
//
// Network namespaces. Needs CAP_SYS_ADMIN.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <type_traits>

#include <beeline/kernel/fd.hpp>
#include <beeline/result.hpp>

namespace beeline::kernel {

namespace detail {
template <class T>
struct AsResult {
    using type = Result<T>;
};
template <class T>
struct AsResult<Result<T>> {
    using type = Result<T>;
};
} // namespace detail

/// A network namespace, held open. Threads are in one each: entering concerns the calling thread only.
class [[nodiscard]] NetNs {
public:
    /// The calling thread is inside while this lives, and back where it was afterwards; not being able to go back
    /// aborts the process, for it would go on in the wrong network. Stays with its thread.
    class [[nodiscard]] Guard {
    public:
        Guard(Guard &&other) noexcept : back_(std::move(other.back_)) {}
        Guard &operator=(Guard &&) = delete;
        ~Guard();

    private:
        friend class NetNs;
        explicit Guard(UniqueFd back) : back_(std::move(back)) {}
        UniqueFd back_;
    };

    /// Makes /run/netns/NAME, visible to `ip netns` and other processes. The name is removed with this object unless
    /// keep() is called. EEXIST when the name is taken.
    [[nodiscard]] static Result<NetNs> create(std::string name);
    /// Without a name: lives as long as a process or descriptor holds it.
    [[nodiscard]] static Result<NetNs> anonymous();
    [[nodiscard]] static Result<NetNs> current();
    [[nodiscard]] static Result<NetNs> by_name(std::string_view name);
    [[nodiscard]] static Result<NetNs> of_process(pid_t pid);
    [[nodiscard]] static Result<NetNs> open(const std::filesystem::path &path);
    /// Removes /run/netns/NAME; the namespace lives on while in use. A name that is not there is no error.
    [[nodiscard]] static Result<> remove(std::string_view name);

    NetNs(NetNs &&other) noexcept;
    NetNs &operator=(NetNs &&other) noexcept;
    ~NetNs();

    [[nodiscard]] Result<Guard> enter() const;
    /// Runs f in the calling thread, inside. f's Result (or value, or nothing) is returned as a Result.
    template <class F>
    [[nodiscard]] auto within(F &&f) const -> typename detail::AsResult<std::invoke_result_t<F>>::type {
        BL_TRY(const Guard guard, enter());
        if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
            std::invoke(std::forward<F>(f));
            return {};
        } else {
            return std::invoke(std::forward<F>(f));
        }
    }

    /// Removes the name now (of a namespace that create() made).
    [[nodiscard]] Result<> destroy();
    /// The name stays when this object ends.
    void keep() noexcept { owned_ = false; }

    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    [[nodiscard]] const std::string &name() const noexcept { return name_; } ///< Empty unless create() or by_name().
    /// Identity of the namespace as in /proc/PID/ns/net.
    [[nodiscard]] Result<std::uint64_t> inode() const;
    /// /run/netns/NAME, or /proc/PID/fd/N of this process.
    [[nodiscard]] std::filesystem::path path() const;

private:
    NetNs(UniqueFd fd, std::string name, bool owned) : fd_(std::move(fd)), name_(std::move(name)), owned_(owned) {}
    UniqueFd fd_;
    std::string name_;
    bool owned_ = false;
};

} // namespace beeline::kernel
