// SPDX-License-Identifier: Apache-2.0
#include "netns/programs/servers.hpp"

#include <charconv>

#include <fmt/format.h>

namespace beeline::programs {
namespace {

constexpr const char *kPostgres = "usr/lib/postgresql/15/bin/";

} // namespace

Server start_redis(const Scene &scene, std::uint16_t port) {
    return scene.start("usr/bin/redis-server", {"--port", std::to_string(port), "--bind", "127.0.0.1", "--unixsocket",
                                                scene.path("redis.sock"), "--save", "", "--appendonly", "no", "--dir",
                                                scene.path(""), "--logfile", scene.path("redis.log")});
}

Server start_nginx(const Scene &scene, const std::string &servers) {
    std::filesystem::create_directories(scene.path("www"));
    const std::string temporary = scene.path("nginx");
    std::filesystem::create_directories(temporary);
    const std::string config = scene.write("nginx.conf", fmt::format(R"(
        user root root;
        daemon off;
        master_process off; # whose end would leave its workers behind
        pid {0}/pid;
        error_log {0}/error.log;
        events {{ worker_connections 512; }}
        http {{
            access_log off;
            root {1};
            client_body_temp_path {0}/body;
            proxy_temp_path {0}/proxy;
            fastcgi_temp_path {0}/fastcgi;
            uwsgi_temp_path {0}/uwsgi;
            scgi_temp_path {0}/scgi;
            client_max_body_size 0;
            keepalive_requests 1000000;
            {2}
        }})",
                                                                     temporary, scene.path("www"), servers));
    return scene.start("usr/sbin/nginx", {"-c", config, "-p", temporary, "-e", temporary + "/error.log"});
}

Server start_memcached(const Scene &scene, std::uint16_t port) {
    std::vector<std::string> arguments = {"-u", "root", "-t", "4", "-m", "128", "-I", "4m"};
    if (port == 0)
        arguments.insert(arguments.end(), {"-s", scene.path("memcached.sock")});
    else
        arguments.insert(arguments.end(), {"-l", "127.0.0.1", "-p", std::to_string(port), "-U", "0"});
    return scene.start("usr/bin/memcached", arguments);
}

Result<Server> start_postgres(const Scene &scene, std::uint16_t port) {
    const std::string home = scene.path("postgres"), bin = std::string("$programs/") + kPostgres;
    const Ended made = scene.run(
        "/usr/bin/unshare",
        scene.unprivileged(home, bin + "initdb -U postgres -A trust --no-locale -E UTF8 -N -D " + home + "/data"));
    if (made.status != 0)
        return fail(Kind::host, 0, "initdb: " + made.out + made.err);
    Server server = scene.start(
        "/usr/bin/unshare",
        scene.unprivileged(home,
                           fmt::format("{}postgres -D {}/data -p {} -c listen_addresses=127.0.0.1 -k {} -c fsync=off "
                                       "-c shared_buffers=32MB -c logging_collector=off",
                                       bin, home, port, home)));
    const bool ready = Scene::eventually([&] {
        return scene
                   .run(kPostgres + std::string("psql"),
                        {"-h", home, "-p", std::to_string(port), "-U", "postgres", "-c", "select"})
                   .status == 0;
    });
    if (!ready)
        return fail(Kind::host, 0, "postgres: " + server->log());
    return server;
}

Server start_haproxy(const Scene &scene, std::uint16_t from, std::uint16_t to) {
    const std::string config = scene.write("haproxy.cfg", fmt::format(R"(
global
    nosplice
    maxconn 500
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
listen proxy
    bind 127.0.0.1:{}
    server one 127.0.0.1:{}
)",
                                                                      from, to));
    return scene.start("usr/sbin/haproxy", {"-db", "-q", "-f", config});
}

Server start_socat(const Scene &scene, std::uint16_t from, std::uint16_t to) {
    return scene.start("usr/bin/socat", {fmt::format("TCP-LISTEN:{},bind=127.0.0.1,reuseaddr,fork", from),
                                         fmt::format("TCP:127.0.0.1:{}", to)});
}

std::uint64_t number(const std::string &text, const std::string &name) {
    std::uint64_t value = ~std::uint64_t{0};
    const std::size_t at = text.find(name);
    if (at == std::string::npos)
        return value;
    const std::size_t digits = text.find_first_not_of(":= \t", at + name.size());
    if (digits != std::string::npos)
        std::from_chars(text.data() + digits, text.data() + text.size(), value);
    return value;
}

} // namespace beeline::programs
