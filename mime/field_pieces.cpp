#include "mime/field_pieces.h"

#include "mime/text.h"

namespace p11mime::mime {

std::vector<std::string_view> pieces(std::string_view raw) {
    std::vector<std::string_view> found;
    std::size_t begin = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (quoted && raw[i] == '\\') {
            ++i;
        } else if (raw[i] == '"') {
            quoted = !quoted;
        } else if (!quoted && raw[i] == '(') {
            i += comment_size(raw.substr(i)) - 1;
        } else if (!quoted && raw[i] == ';') {
            found.push_back(raw.substr(begin, i - begin));
            begin = i + 1;
        }
    }
    found.push_back(raw.substr(begin));
    return found;
}

std::string_view without_end(std::string_view raw) {
    while (!raw.empty() && is_space(raw.back()))
        raw.remove_suffix(1);
    return raw;
}

}  // namespace p11mime::mime
