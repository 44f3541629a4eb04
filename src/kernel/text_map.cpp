// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/text_map.hpp>

#include <cstdio>
#include <span>

#include <beeline/kernel/map.hpp>

namespace beeline::kernel {

Result<> pin_text(const std::string &name, const std::string &text, const std::filesystem::path &pin) {
    BL_TRY(const UniqueFd fd,
           create_map(
               {.type = BPF_MAP_TYPE_ARRAY, .name = name, .value_size = static_cast<std::uint32_t>(text.size() + 1)}));
    BL_TRY(const MapInfo info, map_info(fd.get()));
    const std::uint32_t zero = 0;
    BL_CHECK(raw::update(fd.get(), info, &zero, text.c_str(), Update::any));
    return pin_object(fd.get(), pin);
}

Result<> repin_text(const std::string &name, const std::string &text, const std::filesystem::path &pin) {
    std::filesystem::path beside = pin;
    beside += "_new";
    std::error_code error;
    std::filesystem::remove(beside, error); // of somebody who died
    BL_CHECK(pin_text(name, text, beside));
    std::filesystem::rename(beside, pin, error);
    if (!error)
        return {};
    const int code = error.value();
    std::filesystem::remove(beside, error);
    return fail_errno(code, "rename " + beside.string() + " to " + pin.string());
}

Result<std::string> pinned_text(const std::string &name, const std::filesystem::path &pin) {
    BL_TRY(const UniqueFd fd, pinned_object(pin));
    BL_TRY(const MapInfo info, map_info(fd.get()));
    if (info.type != BPF_MAP_TYPE_ARRAY || info.name != name)
        return fail(Kind::state, 0, pin.filename().string() + " is " + raw::describe(info));
    const std::uint32_t zero = 0;
    std::string text(info.value_size, '\0');
    BL_TRY(const bool found,
           raw::lookup(fd.get(), info, &zero, std::as_writable_bytes(std::span(text.data(), text.size()))));
    text.resize(found ? text.find('\0') == std::string::npos ? text.size() : text.find('\0') : 0);
    return text;
}

} // namespace beeline::kernel
