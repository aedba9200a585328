#include "cli/html_markup.h"

#include "cli/terminal.h"

namespace p11mime::cli {

std::string markup(std::string_view text) {
    std::string safe;
    for (const char c : visible(text)) {
        switch (c) {
            case '&':
                safe += "&amp;";
                break;
            case '<':
                safe += "&lt;";
                break;
            case '>':
                safe += "&gt;";
                break;
            case '"':
                safe += "&quot;";
                break;
            case '\'':
                safe += "&#39;";
                break;
            default:
                safe += c;
        }
    }
    return safe;
}

std::string markup_lines(std::string_view text) {
    std::string safe;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find_first_of("\t\n"), text.size());
        std::string_view piece = text.substr(0, end);
        const bool line = end < text.size() && text[end] == '\n';
        if (line && piece.ends_with('\r')) piece.remove_suffix(1);
        safe += markup(piece);
        if (end < text.size()) safe += text[end];
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return safe;
}

std::string isolated(std::string_view text) {
    return "<bdi>" + markup(text) + "</bdi>";
}

}  // namespace p11mime::cli
