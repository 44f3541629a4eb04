// SPDX-License-Identifier: Apache-2.0
//
// What those who come later have to know of something that is up: JSON in a pinned map of its own (text_map.hpp).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include <beeline/base.h>
#include <beeline/result.hpp>

namespace beeline::live {

/// What is said of pins that are not there, or are not what their names say.
[[nodiscard]] Error damaged(Error error, const std::filesystem::path &directory);

[[nodiscard]] std::string text_of(const nlohmann::json &record);

/// The record `pin` of the directory. Kind::state when it is damaged or of another ABI version (its "abi").
[[nodiscard]] Result<nlohmann::json> read_record(const char *pin, const std::filesystem::path &directory);
/// What is said of a record that is JSON, but not what it should be.
[[nodiscard]] Error damaged_record(const std::filesystem::path &directory);

/// A record of type T; T from_json-like f(T &, json) may throw json::exception.
template <class T, class F>
[[nodiscard]] Result<T> read_record(const char *pin, const std::filesystem::path &directory, F &&read_into) {
    BL_TRY(const nlohmann::json from, read_record(pin, directory));
    try {
        T record;
        read_into(record, from);
        return record;
    } catch (const nlohmann::json::exception &) {
        return std::unexpected(damaged_record(directory));
    }
}

} // namespace beeline::live
