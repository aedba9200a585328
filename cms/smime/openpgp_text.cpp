#include "cms/smime/openpgp_text.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "cms/smime/visible_html.h"
#include "mime/text.h"

namespace p11mime::cms::smime {

namespace {

// Mark finds a line of dashes and letters in text without blanks.
class Mark {
  public:
    explicit Mark(std::string_view letters) : letters_(letters) {}

    bool ends_with(char c) {
        if (c == letters_[found_])
            ++found_;
        else if (c != '-')
            found_ = 0;
        else if (found_ != kDashes)
            found_ = 1;
        if (found_ < letters_.size()) return false;
        found_ = 0;
        return true;
    }

  private:
    static constexpr std::size_t kDashes = 5;
    std::string_view letters_;
    std::size_t found_ = 0;
};

// WholeMessage finds a message by its marks and what stands between them. Of text that is not read as ASCII, what goes
// for letters of it is looked at: NULs of UTF-16 and escape sequences (ISO/IEC 2022) are passed over like blanks.
class WholeMessage {
  public:
    bool take(char c) {
        if (escape_) return pass_escape(c);
        if (c == '\x1b') escape_ = true;
        if (c == '\n' || c == '\r') line_begins_ = true;
        return c > ' ' && c < 0x7f && take_visible(c);
    }
    bool is_quoted_found() const { return quoted_found_; }

  private:
    bool pass_escape(char c) {
        escape_ = c >= ' ' && c <= '/';
        return false;
    }

    bool take_visible(char c) {
        if (line_begins_) initials_ = 0;
        in_quote_ = line_begins_ ? c == '>' || c == '|' : in_quote_ || (c == '>' && initials_ > 0);
        const bool goes_on = line_begins_ || initials_ > 0;
        initials_ = goes_on && c >= 'A' && c <= 'Z' && initials_ < kMostInitials ? initials_ + 1 : 0;
        line_begins_ = false;
        if (begin_.ends_with(c)) {
            inside_ = true;
            begins_quoted_ = in_quote_;
            letters_ = 0;
        }
        letters_ += is_unlike_prose(c);
        if (!end_.ends_with(c)) return false;
        const bool whole = inside_ && letters_ >= kFewest;
        const bool quoted = begins_quoted_ && in_quote_;
        inside_ = false;
        quoted_found_ = quoted_found_ || (whole && quoted);
        return whole && !quoted;
    }

    // Of base64, most letters are; of prose, few.
    static bool is_unlike_prose(char c) {
        return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
    }

    // A message with a password, and nothing in it, has some 50 letters; those of its last mark count.
    static constexpr std::size_t kFewest = 24 + std::string_view("ENDPGPMESSAGE").size();
    Mark begin_{"-----BEGINPGPMESSAGE"}, end_{"-----ENDPGPMESSAGE"};
    bool escape_ = false, line_begins_ = true, in_quote_ = false;
    bool inside_ = false, begins_quoted_ = false, quoted_found_ = false;
    static constexpr std::size_t kMostInitials = 4;  // of a name, before ">"
    std::size_t initials_ = 0;                       // the line has these and nothing else so far
    std::size_t letters_ = 0;                        // since the message began
};

// LineStart finds kOpenPgpLine at the start of a line behind the first.
class LineStart {
  public:
    explicit LineStart(bool is_html) : is_html_(is_html) {}

    bool take(std::string_view piece) {
        const auto ends_line = [&](char c) { return c == '\n' || c == '\r' || (is_html_ && c == '>'); };
        while (!piece.empty()) {
            const auto line_end = static_cast<std::size_t>(std::ranges::find_if(piece, ends_line) - piece.begin());
            start_ += piece.substr(0, std::min(line_end, kOpenPgpLine.size() - start_.size()));
            if (start_ == kOpenPgpLine) return true;
            if (line_end < piece.size()) start_.clear();
            piece.remove_prefix(std::min(line_end + 1, piece.size()));
        }
        return false;
    }

  private:
    bool is_html_;
    std::string start_ = "first";  // of the line, no longer than it takes to tell
};

}  // namespace

Ciphertext openpgp_in(Source& text, bool is_html) {
    LineStart start(is_html);
    WholeMessage whole;
    VisibleHtml html;
    const auto take = [&](char c) {
        if (!is_html) return whole.take(c);
        const std::string visible = c == 0 ? "" : html.take(c);  // UTF-16 has NULs
        return std::ranges::any_of(visible, [&](char shown) { return whole.take(shown); });
    };
    for (ByteView piece = text.pull(); !piece.empty(); piece = text.pull())
        if (start.take(text_of(piece)) || std::ranges::any_of(text_of(piece), take)) return Ciphertext::there;
    return whole.is_quoted_found() ? Ciphertext::quoted : Ciphertext::none;
}

}  // namespace p11mime::cms::smime
