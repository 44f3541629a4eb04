// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace beeline::edge {

/// A file of the test's own, removed at the end.
class TempFile {
public:
    explicit TempFile(std::string_view content = {}) {
        std::string name = (std::filesystem::temp_directory_path() / "bl-file-XXXXXX").string();
        const int fd = mkstemp(name.data());
        if (fd < 0)
            std::abort();
        close_and_write(fd, name, content);
        path_ = name;
    }
    TempFile(const TempFile &) = delete;
    TempFile &operator=(const TempFile &) = delete;
    ~TempFile() {
        std::error_code error;
        std::filesystem::remove(path_, error);
    }
    [[nodiscard]] const std::string &path() const { return path_; }
    [[nodiscard]] std::string content() const {
        std::ifstream file(path_, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

private:
    static void close_and_write(int fd, const std::string &name, std::string_view content);
    std::string path_;
};

inline void TempFile::close_and_write(int fd, const std::string &name, std::string_view content) {
    std::ofstream(name, std::ios::binary).write(content.data(), static_cast<std::streamsize>(content.size()));
    ::close(fd);
}

} // namespace beeline::edge
