#include "mime/multipart.h"

#include <algorithm>

#include "mime/error.h"
#include "mime/line_masks.h"
#include "mime/text.h"

namespace p11mime::mime {

namespace {

// Where a line that starts like a delimiter starts, at `from` or after it; npos where none does. `from` may be in the
// middle of a line.
std::size_t find_line(std::string_view text, std::string_view needle, std::size_t from) {
    while (from < text.size()) {
        const std::size_t line = from + find_dashed_line(bytes_of(text.substr(from))) + 1;
        if (line >= text.size()) break;
        if (text.substr(line).starts_with(needle)) return line;
        from = line;
    }
    return std::string_view::npos;
}

// Where the line ending before the line at `line` begins; `line` itself at the front of the text.
std::size_t before_line_end(std::string_view text, std::size_t line) {
    if (line == 0) return 0;
    return line >= 2 && text[line - 2] == '\r' ? line - 2 : line - 1;
}

// What follows "--boundary" on its line.
struct LineRest {
    enum class Kind { delimiter, other, unfinished } kind;
    std::size_t end = 0;  // past the line ending
    bool closing = false;
};

LineRest line_rest(std::string_view text, std::size_t at, bool last) {
    using Kind = LineRest::Kind;
    const bool closing = text.substr(at, 2) == "--";
    if (!closing && !last && text.substr(at) == "-") return {Kind::unfinished};
    if (closing) at += 2;
    const std::size_t padding = std::min(text.substr(at).find_first_not_of(" \t"), text.size() - at);
    if (padding > kMaxTransportPadding) return {Kind::other};
    at += padding;
    const std::string_view line_end = text.substr(at, 2);
    if (line_end.starts_with('\n')) return {Kind::delimiter, at + 1, closing};
    if (line_end == "\r\n") return {Kind::delimiter, at + 2, closing};
    if (line_end.empty() && last) return {Kind::delimiter, at, closing};
    if ((line_end.empty() || line_end == "\r") && !last) return {Kind::unfinished};
    return {Kind::other};
}

// Scan is what the front of a body holds: `data` bytes of the current section; where there are none, a delimiter of
// that size; where there is neither, more has to be seen.
struct Scan {
    std::size_t data = 0;
    std::size_t delimiter = 0;
    bool closing = false;
};

// How much of a text without a delimiter is sure to be data: what could yet become one, with the line ending before
// it, is not.
std::size_t sure_data(std::string_view text, std::string_view needle, bool at_line_start) {
    const std::size_t tail_begin = text.size() - std::min(text.size(), needle.size());
    const std::size_t lf = text.substr(tail_begin).rfind('\n');
    if (lf != std::string_view::npos) {
        const std::size_t line = tail_begin + lf + 1;
        if (needle.starts_with(text.substr(line))) return before_line_end(text, line);
    } else if (at_line_start && text.size() < needle.size() && needle.starts_with(text)) {
        return 0;
    }
    return text.ends_with('\r') ? text.size() - 1 : text.size();
}

Scan scan(std::string_view text, std::string_view needle, bool at_line_start, bool last) {
    const bool first = at_line_start && text.starts_with(needle);
    for (std::size_t at = first ? 0 : find_line(text, needle, 0); at != std::string_view::npos;
         at = find_line(text, needle, at)) {
        const LineRest rest = line_rest(text, at + needle.size(), last);
        if (rest.kind == LineRest::Kind::other) continue;
        const std::size_t data = before_line_end(text, at);
        if (data > 0 || rest.kind == LineRest::Kind::unfinished) return {.data = data};
        return {.delimiter = rest.end, .closing = rest.closing};
    }
    return {.data = last ? text.size() : sure_data(text, needle, at_line_start)};
}

}  // namespace

struct Multipart::State {
    enum class Stage { preamble, part, epilogue, ended };

    // One of the three kinds of sections, empty while another is current.
    struct Section final : Source {
        Section(State& owner, Stage own_stage) : state(owner), stage(own_stage) {}
        ByteView pull() override { return state.stage == stage ? state.pull() : ByteView{}; }
        State& state;
        Stage stage;
    };

    State(Window& the_body, std::string_view boundary) : body(the_body), needle("--" + std::string(boundary)) {}

    ByteView pull() {
        if (stage == Stage::epilogue) return body.pull();
        if (ahead.delimiter > 0) return {};
        for (std::size_t wanted = 1;;) {
            const ByteView seen = body.peek(wanted);
            if (seen.empty()) break;
            const Scan found = scan(text_of(seen), needle, at_line_start, seen.size() < wanted);
            if (found.data > 0) {
                at_line_start = false;
                body.consume(found.data);
                return seen.first(found.data);
            }
            if (found.delimiter > 0) {
                ahead = found;
                break;
            }
            wanted = seen.size() + needle.size();
        }
        section_end = body.position();
        return {};
    }

    bool next() {
        if (stage != Stage::preamble && stage != Stage::part) return false;
        while (!pull().empty()) {
        }
        delimiter = text_of(body.peek(ahead.delimiter)).substr(0, ahead.delimiter);
        body.consume(ahead.delimiter);
        if (ahead.closing) {
            stage = Stage::epilogue;
        } else {
            stage = ahead.delimiter > 0 ? Stage::part : Stage::ended;
        }
        closed = ahead.closing;
        ahead = {};
        at_line_start = true;
        if (stage == Stage::part) section_begin = body.position();
        return stage == Stage::part;
    }

    Window& body;
    std::string needle;
    Stage stage = Stage::preamble;
    Section preamble{*this, Stage::preamble};
    Section part{*this, Stage::part};
    Section epilogue{*this, Stage::epilogue};
    Scan ahead;  // the delimiter that was found and not passed yet
    bool at_line_start = true;
    bool closed = false;
    std::string delimiter;
    std::uint64_t section_begin = 0;
    std::uint64_t section_end = 0;
};

bool is_boundary(std::string_view boundary) {
    return !boundary.empty() && boundary.size() <= kMaxBoundaryLength &&
           boundary.find_first_of("\r\n") == std::string_view::npos;
}

Multipart::Multipart(Window& body, std::string_view boundary) {
    if (!is_boundary(boundary))
        throw Error(ErrorKind::malformed,
                    boundary.empty() ? "the multipart has no boundary" : "the boundary of the multipart is unusable");
    state_ = std::make_unique<State>(body, boundary);
}

Multipart::~Multipart() = default;

Source& Multipart::preamble() {
    return state_->preamble;
}

bool Multipart::next() {
    return state_->next();
}

Source& Multipart::part() {
    return state_->part;
}

Source& Multipart::epilogue() {
    return state_->epilogue;
}

std::string_view Multipart::delimiter() const {
    return state_->delimiter;
}

bool Multipart::closed() const {
    return state_->closed;
}

std::uint64_t Multipart::part_begin() const {
    return state_->section_begin;
}

std::uint64_t Multipart::part_end() const {
    return state_->section_end;
}

}  // namespace p11mime::mime
