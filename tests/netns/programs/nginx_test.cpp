// SPDX-License-Identifier: Apache-2.0
#include "netns/programs/programs_test.hpp"

#include <fstream>

#include <fmt/format.h>

namespace beeline::programs {
namespace {

constexpr std::size_t kLarge = 8'000'000;
const std::vector<std::string> kTrusted = {"usr/sbin/nginx", "usr/bin/wrk"};

/// 8080: files by sendfile, 8081: by write; 8082: uploads; 8083 and 8084: a proxy before it, which keeps a request
/// until it has all of it, or passes it on as it comes.
constexpr const char *kServers = R"(
    server { listen 127.0.0.1:8080; sendfile on; location /numbers { stub_status; } }
    server { listen 127.0.0.1:8081; sendfile off; }
    server { listen 127.0.0.1:8082; location / { dav_methods PUT; create_full_put_path on; } }
    upstream uploads { server 127.0.0.1:8082; keepalive 4; }
    server {
        listen 127.0.0.1:8083;
        location / { proxy_pass http://uploads; proxy_http_version 1.1; proxy_set_header Connection ""; }
    }
    server {
        listen 127.0.0.1:8084;
        location / {
            proxy_pass http://uploads; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_request_buffering off; proxy_buffering off;
        }
    })";

std::string content(const std::string &file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

class Nginx : public Programs {
protected:
    void SetUp() override {
        Programs::SetUp();
        if (IsSkipped() || HasFatalFailure())
            return;
        server_ = start_nginx(*scene_, kServers);
        (void)scene_->write("www/small", bytes(1000, 1));
        (void)scene_->write("www/large", bytes(kLarge, 2));
        ASSERT_OK(Client::connect(*scene_, 8080)); // listens
    }
    /// wrk asks for FIONREAD, too, and is never told less than there is: nginx trusted with small requests only.
    void accelerate(const std::vector<std::string> &trusted = {}) const {
        ASSERT_OK(scene_->accelerate({"dport 8080-8084 -> accelerate"}, trusted));
    }
    /// nginx, told that nothing is unread, would wait for ever though the rest of a request is there.
    void expect_on_tcp() const {
        EXPECT_EQ(scene_->short_bytes(), 0U) << told();
        EXPECT_GE(scene_->count("counts"), 1U) << told();
    }

    [[nodiscard]] Ended wrk(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), {"-t", "2", "-c", "20", "-d", "1s"});
        return scene_->run("usr/bin/wrk", arguments);
    }
    static void expect_no_error(const Ended &ended) {
        EXPECT_EQ(ended.status, 0) << ended.err;
        EXPECT_THAT(ended.out, HasSubstr("requests in"));
        EXPECT_THAT(ended.out, Not(HasSubstr("Socket errors")));
        EXPECT_THAT(ended.out, Not(HasSubstr("Non-2xx")));
    }

    /// The large file, four times by one connection that has asked for small ones before; again until so much took the
    /// short cut.
    void download(std::uint16_t port, std::uint64_t enough) const {
        const std::string large = content(scene_->path("www/large"));
        for (int i = 0; i < 10 && (i == 0 || scene_->short_bytes() < enough); ++i) {
            const std::string url = fmt::format("http://127.0.0.1:{}/", port);
            const Ended ended = scene_->run("usr/bin/curl", {"-sS", "--fail-early", "-f", "-o", scene_->path("got#1"),
                                                             url + "small?[1-200]", "-o", scene_->path("large#1"),
                                                             url + "large?[1-4]"});
            ASSERT_EQ(ended.status, 0) << ended.err;
            for (const char *name : {"large1", "large2", "large3", "large4"})
                ASSERT_TRUE(content(scene_->path(name)) == large) << name << " is another file";
            ASSERT_EQ(content(scene_->path("got200")), content(scene_->path("www/small")));
        }
        EXPECT_GE(scene_->short_bytes(), enough) << told();
    }

    /// Small files, and four large ones behind them, by one connection.
    void upload(std::uint16_t port) const {
        std::string small, large;
        for (int i = 0; i < 50; ++i)
            small += (i == 0 ? "" : ",") + scene_->write(fmt::format("small{}", i), bytes(500, 10));
        for (std::uint32_t i = 0; i < 4; ++i)
            large += "," + scene_->write(fmt::format("large{}", i), bytes(kLarge + i * 1000, 20 + i));
        const Ended ended =
            scene_->run("usr/bin/curl", {"-sS", "-f", "-H", "Expect:", "-T", fmt::format("{{{}{}}}", small, large),
                                         fmt::format("http://127.0.0.1:{}/up/", port)});
        ASSERT_EQ(ended.status, 0) << ended.err << told();
        for (int file = 0; file < 4; ++file)
            EXPECT_TRUE(content(scene_->path(fmt::format("www/up/large{}", file))) ==
                        content(scene_->path(fmt::format("large{}", file))))
                << "large" << file << " is another file";
        expect_on_tcp();
    }

    std::unique_ptr<Background> server_;
};

TEST_F(Nginx, KeepAliveRequestsOfWrkAreAllAnsweredByTcp) {
    accelerate();
    const Ended ended = wrk({"http://127.0.0.1:8080/small"});
    expect_no_error(ended);
    expect_on_tcp();
}

TEST_F(Nginx, KeepAliveRequestsOfWrkAreAllAnsweredOnTheShortCutWhenTrusted) {
    accelerate(kTrusted);
    const Ended ended = wrk({"http://127.0.0.1:8080/small"});
    expect_no_error(ended);
    EXPECT_GT(scene_->short_bytes(), 1'000'000U) << told();
}

TEST_F(Nginx, OneRequestPerConnectionIsTooShortForTheShortCutAndIsServed) {
    accelerate(kTrusted);
    expect_no_error(wrk({"-H", "Connection: close", "http://127.0.0.1:8080/small"}));
    EXPECT_EQ(scene_->short_bytes(), 0U) << told();
}

TEST_F(Nginx, LargeAnswersToWrk) {
    accelerate(kTrusted);
    expect_no_error(wrk({"--timeout", "30s", "http://127.0.0.1:8080/large"}));
}

TEST_F(Nginx, FilesSentBySendfileArriveAsTheyAre) {
    accelerate(kTrusted);
    download(8080, 2 * kLarge);
}

TEST_F(Nginx, FilesSentByWriteArriveAsTheyAre) {
    accelerate(kTrusted);
    download(8081, 2 * kLarge);
}

TEST_F(Nginx, UploadsArriveAsTheyAre) {
    accelerate();
    upload(8082);
}

TEST_F(Nginx, UploadsThroughAProxyThatKeepsThem) {
    accelerate();
    upload(8083);
}

TEST_F(Nginx, UploadsThroughAProxyThatPassesThemOn) {
    accelerate();
    upload(8084);
}

} // namespace
} // namespace beeline::programs
