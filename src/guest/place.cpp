// SPDX-License-Identifier: Apache-2.0
#include "guest/place.hpp"

#include <array>
#include <vector>

#include <nlohmann/json.hpp>

#include <beeline/kernel/command.hpp>

namespace beeline::guest {
namespace {

using nlohmann::json;

/// One tool to ask, and where the path is in what it prints.
struct Tool {
    std::vector<std::string> words;
    std::string (*path)(const std::string &printed);
};

/// podman's last line, for warnings may stand before it: the process, and the namespace if podman made it. It has no
/// path for what the runtime made (`--network none`); the process is 0 when the container does not run.
std::string path_of_podman(const std::string &printed) {
    const std::size_t end = printed.find_last_not_of(" \n");
    if (end == std::string::npos)
        return {};
    const std::size_t begin = printed.rfind('\n', end) + 1; // npos + 1 is 0
    const std::string line = printed.substr(begin, end + 1 - begin);
    if (const std::size_t path = line.find('/'); path != std::string::npos)
        return line.substr(path);
    return line == "0" || line.find_first_not_of("0123456789") != std::string::npos ? "" : "/proc/" + line + "/ns/net";
}

/// crictl prints what the runtime answers, `status` and `info`; info.runtimeSpec, which containerd and CRI-O give, is
/// the OCI runtime specification's config.json (config-linux.md, "Namespaces"). Of a container that shares the host's
/// network there is no such entry.
std::string path_in_json(const std::string &printed) {
    const std::size_t begin = printed.find('{');
    const json all = json::parse(begin == std::string::npos ? "" : printed.substr(begin), nullptr, false);
    const auto list = json::json_pointer("/info/runtimeSpec/linux/namespaces");
    if (all.is_discarded() || !all.contains(list) || !all.at(list).is_array())
        return {};
    for (const json &one : all.at(list))
        if (one.is_object() && one.value("type", "") == "network")
            return one.value("path", "");
    return {};
}

std::vector<Tool> tools_for(const std::string &container) {
    return {{{"podman", "inspect", "--format", "{{.State.Pid}} {{.NetworkSettings.SandboxKey}}", container},
             path_of_podman},
            {{"crictl", "inspectp", container}, path_in_json},
            {{"crictl", "inspect", container}, path_in_json}};
}

Result<std::filesystem::path> container_path(const std::string &container) {
    std::string tried;
    for (const Tool &tool : tools_for(container)) {
        const std::string called = tool.words[0] + " " + tool.words[1];
        if (!kernel::find_program(tool.words[0])) {
            if (tried.find(tool.words[0]) == std::string::npos)
                tried += (tried.empty() ? "" : "; ") + tool.words[0] + " is not installed";
            continue;
        }
        const auto printed = kernel::run_checked({.words = tool.words});
        const std::string path = printed ? tool.path(*printed) : std::string();
        if (!path.empty())
            return path;
        tried +=
            (tried.empty() ? "" : "; ") + called + ": " + (printed ? "it tells no namespace" : printed.error().what);
    }
    return fail(Kind::host, 0, "container " + container + ": no network namespace found (" + tried + ")",
                "is it running, with a network of its own? Otherwise name its namespace by netns");
}

} // namespace

Result<std::filesystem::path> netns_path(const Place &place) {
    if (place.by == Place::By::container)
        return container_path(place.name);
    return place.name.find('/') == std::string::npos ? std::filesystem::path("/run/netns") / place.name
                                                     : std::filesystem::path(place.name);
}

} // namespace beeline::guest
