// SPDX-License-Identifier: Apache-2.0
#include "cni/ipam.hpp"

#include <unistd.h>

#include <fmt/format.h>

#include <beeline/kernel/command.hpp>

namespace beeline::cni {
namespace {

/// The program of that name in one of the folders of CNI_PATH.
Answer<std::string> find(const Environment &environment, const std::string &type) {
    if (type.empty() || type.find('/') != std::string::npos)
        return refuse(Code::config, fmt::format("ipam.type '{}' is no plugin's name", type));
    const std::string folders = environment("CNI_PATH").value_or("") + ":";
    for (std::size_t at = 0, end = 0; (end = folders.find(':', at)) != std::string::npos; at = end + 1) {
        const std::string candidate = folders.substr(at, end - at) + "/" + type;
        if (end > at && ::access(candidate.c_str(), X_OK) == 0)
            return candidate;
    }
    return refuse(Code::config, fmt::format("no plugin '{}' in CNI_PATH", type), "package containernetworking-plugins");
}

/// One call; a failure is the plugin's own.
Answer<Json> call(const std::string &path, const std::string &verb, const Json &input) {
    const auto finished = kernel::run(
        {.words = {path}, .input = input.dump(), .environment = {"CNI_COMMAND=" + verb}, .errors_apart = true});
    if (!finished)
        return std::unexpected(failure(Code::io, finished.error()));
    Json answer = Json::parse(finished->output, nullptr, false);
    if (finished->status == 0)
        return answer.is_object() ? answer : Json::object();
    if (!answer.is_object() || !answer.contains("msg"))
        return refuse(Code::io, fmt::format("{} ended with status {}", path, finished->status), finished->output);
    return refuse(static_cast<Code>(answer.value("code", 100)), path + ": " + answer.value("msg", ""),
                  answer.value("details", ""));
}

} // namespace

Answer<Json> call_ipam(const Request &request, const Environment &environment, const Json &input) {
    if (!request.config.contains("ipam") || !request.config["ipam"].is_object() ||
        !request.config["ipam"].contains("type"))
        return Json::object();
    const Json &type = request.config["ipam"]["type"];
    BL_TRY(const std::string path, find(environment, type.is_string() ? type.get<std::string>() : std::string()));
    auto answer = call(path, request.command, input);
    // Debian 12's plugins are older than 1.1.0 of the specification, whose ADD, DEL and CHECK are those of 1.0.0.
    const bool old_verb = request.command == "ADD" || request.command == "DEL" || request.command == "CHECK";
    if (answer || answer.error().code != Code::version || request.version != "1.1.0" || !old_verb)
        return answer;
    Json older = input;
    older["cniVersion"] = "1.0.0";
    return call(path, request.command, older);
}

} // namespace beeline::cni
