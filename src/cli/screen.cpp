// SPDX-License-Identifier: Apache-2.0
#include "cli/screen.hpp"

#include <clocale>
#include <cstdio>
#include <cstdlib>

#include <ncurses.h>

#include "cli/output.hpp"

namespace beeline::cli {

struct Screen::State {
    SCREEN *screen = nullptr;
    ~State() {
        if (screen == nullptr)
            return;
        endwin();
        delscreen(screen);
    }
};

Screen::Screen(std::unique_ptr<State> state) : state_(std::move(state)) {}
Screen::Screen(Screen &&) noexcept = default;
Screen::~Screen() = default;

Result<Screen> Screen::open() {
    std::setlocale(LC_CTYPE, ""); // UTF-8 in rule texts
    auto state = std::make_unique<State>();
    state->screen = newterm(nullptr, stdout, stdin);
    if (state->screen == nullptr) {
        const char *term = std::getenv("TERM");
        return fail(Kind::usage, 0, fmt::format("the terminal '{}' is not known", term == nullptr ? "" : term),
                    "set TERM, or use --once");
    }
    set_term(state->screen);
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    curs_set(0);
    return Screen(std::move(state));
}

std::size_t Screen::height() const {
    return static_cast<std::size_t>(getmaxy(stdscr));
}

void Screen::draw(const std::vector<std::string> &lines) {
    erase();
    const auto width = static_cast<unsigned>(getmaxx(stdscr));
    for (std::size_t row = 0; row < lines.size() && row < height(); ++row) {
        if (row == 0)
            attron(A_BOLD);
        mvaddstr(static_cast<int>(row), 0, fitted(lines[row], width).c_str());
        if (row == 0)
            attroff(A_BOLD);
    }
    refresh();
}

Screen::Key Screen::wait(std::chrono::milliseconds timeout) {
    ::timeout(static_cast<int>(timeout.count()));
    switch (getch()) {
    case ERR:
        return Key::none;
    case 'q':
    case 'Q':
        return Key::quit;
    case KEY_RESIZE:
        return Key::resized;
    default:
        return Key::other;
    }
}

} // namespace beeline::cli
