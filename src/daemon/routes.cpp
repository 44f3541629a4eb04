// SPDX-License-Identifier: Apache-2.0
#include "daemon/routes.hpp"

#include <charconv>

#include "daemon/json.hpp"
#include "daemon/metrics.hpp"

namespace beeline::daemon {
namespace {

using std::chrono::seconds;

/// Ten years: more is a slip of the pen.
constexpr std::int64_t kMaxSeconds = 10LL * 366 * 86400;

int http_status(Kind kind) {
    switch (kind) {
    case Kind::usage:
    case Kind::config:
        return 400;
    case Kind::permission:
        return 403;
    case Kind::conflict:
        return 409;
    case Kind::unsupported:
        return 501;
    case Kind::host:
    case Kind::state:
        return 500;
    }
    return 500;
}

void answer(httplib::Response &response, const Json &json, int status = 200) {
    response.status = status;
    // Rule texts are UTF-8 unless a file is broken; a bad byte becomes a replacement character, not an exception.
    response.set_content(json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n", "application/json");
}

void answer_error(httplib::Response &response, const Error &error) {
    answer(response, to_json(error), http_status(error.kind));
}

Result<Json> body_of(const httplib::Request &request) {
    if (request.body.empty())
        return Json::object();
    Json body = Json::parse(request.body, nullptr, false);
    if (!body.is_object())
        return fail(Kind::usage, 0, "the body of the request is no JSON object");
    return body;
}

/// A member that is a number of seconds; nothing when it is missing or null.
Result<std::optional<seconds>> seconds_in(const Json &body, const char *key) {
    if (!body.contains(key) || body[key].is_null())
        return std::nullopt;
    if (!body[key].is_number_integer() || body[key].get<std::int64_t>() < 1 ||
        body[key].get<std::int64_t>() > kMaxSeconds)
        return fail(Kind::usage, 0, std::string(key) + " is no number of seconds", "expected an integer above 0");
    return seconds(body[key].get<std::int64_t>());
}

Result<std::string> text_in(const Json &body, const char *key) {
    if (!body.contains(key) || !body[key].is_string())
        return fail(Kind::usage, 0, std::string(key) + " is missing", "expected a string");
    return body[key].get<std::string>();
}

Result<Json> reload(Service &service, const httplib::Request &request) {
    BL_TRY(const Json body, body_of(request));
    BL_TRY(const auto confirm, seconds_in(body, "confirm_seconds"));
    BL_TRY(const host::UpReport report, service.reload(confirm));
    return to_json(report);
}

Result<Json> events(Service &service, const httplib::Request &request) {
    std::uint64_t since = 0;
    if (request.has_param("since")) {
        const std::string text = request.get_param_value("since");
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), since);
        if (error != std::errc{} || end != text.data() + text.size())
            return fail(Kind::usage, 0, "since is no number");
    }
    const EventLog::Page page = service.events().since(since);
    Json json = {{"version", kSchemaVersion}, {"last", page.last}, {"missed", page.missed}, {"events", Json::array()}};
    for (const edge::LogEvent &event : page.events)
        json["events"].push_back(to_json(event));
    return json;
}

Result<Json> set_add(Service &service, const httplib::Request &request) {
    BL_TRY(const Json body, body_of(request));
    BL_TRY(const std::string entry, text_in(body, "entry"));
    BL_TRY(const auto lifetime, seconds_in(body, "for_seconds"));
    BL_CHECK(service.set_add(request.matches[1], entry, lifetime));
    return Json{{"version", kSchemaVersion}, {"added", true}};
}

Result<Json> set_del(Service &service, const httplib::Request &request) {
    if (!request.has_param("entry"))
        return fail(Kind::usage, 0, "entry is missing", "DELETE /v1/sets/NAME?entry=...");
    BL_TRY(const bool removed, service.set_del(request.matches[1], request.get_param_value("entry")));
    return Json{{"version", kSchemaVersion}, {"removed", removed}};
}

/// Wraps a function of ours as a handler of httplib's.
template <class F>
httplib::Server::Handler handler(Service &service, F f) {
    return [&service, f](const httplib::Request &request, httplib::Response &response) {
        const Result<Json> json = f(service, request);
        if (json)
            answer(response, *json);
        else
            answer_error(response, json.error());
    };
}

} // namespace

void add_control_routes(httplib::Server &server, Service &service) {
    using Request = httplib::Request;
    const char *set = R"(/v1/sets/([A-Za-z0-9_.-]{1,64}))";
    server.Get("/v1/status", handler(service, [](Service &s, const Request &) -> Result<Json> {
                   BL_TRY(const auto status, s.status());
                   return to_json(status);
               }));
    server.Get("/v1/connections", handler(service, [](Service &s, const Request &) -> Result<Json> {
                   BL_TRY(auto status, s.status());
                   return connections_to_json(status.local ? std::optional(std::move(status.local->connections))
                                                           : std::nullopt);
               }));
    server.Get("/v1/plan", handler(service, [](Service &s, const Request &) -> Result<Json> {
                   BL_TRY(const host::Plan plan, s.plan());
                   return to_json(plan);
               }));
    server.Get("/v1/events", handler(service, events));
    server.Post("/v1/reload", handler(service, reload));
    server.Post("/v1/confirm", handler(service, [](Service &s, const Request &) -> Result<Json> {
                    BL_CHECK(s.confirm());
                    return Json{{"version", kSchemaVersion}, {"confirmed", true}};
                }));
    server.Get(set, handler(service, [](Service &s, const Request &request) -> Result<Json> {
                   BL_TRY(const auto entries, s.set_list(request.matches[1]));
                   return to_json(entries);
               }));
    server.Post(set, handler(service, set_add));
    server.Delete(set, handler(service, set_del));
    server.set_error_handler([](const Request &request, httplib::Response &response) {
        if (!response.body.empty())
            return; // one of ours
        const int status = response.status;
        answer_error(response, {.kind = Kind::usage, .what = request.method + " " + request.path + " is not served"});
        response.status = status;
    });
}

void add_metrics_routes(httplib::Server &server, Service &service) {
    server.Get("/metrics", [&service](const httplib::Request &, httplib::Response &response) {
        const auto snapshot = service.snapshot();
        if (snapshot) {
            response.set_content(metrics_text(*snapshot), "text/plain; version=0.0.4; charset=utf-8");
        } else {
            response.status = 500;
            response.set_content(snapshot.error().message() + "\n", "text/plain; charset=utf-8");
        }
    });
}

} // namespace beeline::daemon
