#include "mime/address.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>

#include "mime/header.h"
#include "mime/text.h"
#include "mime/unicode.h"

namespace p11mime::mime {

namespace {

// Token is one lexical token of an address field (RFC 5322 section 3.2); comments and white space are no tokens.
struct Token {
    enum class Kind { atom, quoted, literal, special };
    Kind kind;
    std::string text;     // a quoted string without its quotes, a domain literal with its brackets
    bool spaced = false;  // white space or a comment stood before it

    bool is(char special) const { return kind == Kind::special && text[0] == special; }
    bool is_word() const { return kind == Kind::atom || kind == Kind::quoted; }
};

// resolved is a quoted text without the backslashes of its quoted pairs and without line ends.
std::string resolved(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        if (text[i] != '\r' && text[i] != '\n') result += text[i];
    }
    return result;
}

std::string_view comment_text(std::string_view comment) {
    comment.remove_prefix(1);
    if (comment.ends_with(')')) comment.remove_suffix(1);
    return comment;
}

// Where what starts at the front of a text ends with `close`: there, or at the end of the text.
std::size_t enclosed_end(std::string_view text, char close) {
    std::size_t end = 1;
    while (end < text.size() && text[end] != close)
        end += text[end] == '\\' && end + 1 < text.size() ? 2 : 1;
    return end;
}

class Lexer {
  public:
    explicit Lexer(std::string_view text) : rest_(text) {}

    std::size_t left() const { return rest_.size(); }
    const std::vector<std::string>& comments() const { return comments_; }

    std::optional<Token> next() {
        const bool spaced = skip_space();
        if (rest_.empty()) return std::nullopt;
        const char first = rest_.front();
        if (first == '"') return Token{Token::Kind::quoted, enclosed('"'), spaced};
        if (first == '[') return Token{Token::Kind::literal, '[' + enclosed(']') + ']', spaced};
        constexpr std::string_view kSpecials = ",;:<>@.])";
        if (kSpecials.find(first) != std::string_view::npos) {
            rest_.remove_prefix(1);
            return Token{Token::Kind::special, std::string(1, first), spaced};
        }
        const std::size_t size = std::min(rest_.find_first_of(" \t\r\n\"([,;:<>@.])"), rest_.size());
        Token atom{Token::Kind::atom, std::string(rest_.substr(0, size)), spaced};
        rest_.remove_prefix(size);
        return atom;
    }

  private:
    bool skip_space() {
        const std::size_t before = rest_.size();
        while (!rest_.empty() && (is_space(rest_.front()) || rest_.front() == '(')) {
            const std::size_t size = rest_.front() == '(' ? comment_size(rest_) : 1;
            if (rest_.front() == '(') comments_.push_back(resolved(comment_text(rest_.substr(0, size))));
            rest_.remove_prefix(size);
        }
        return rest_.size() != before;
    }

    // What stands between the delimiter at the front and `close`.
    std::string enclosed(char close) {
        const std::size_t end = enclosed_end(rest_, close);
        std::string text = resolved(rest_.substr(1, end - 1));
        rest_.remove_prefix(std::min(end + 1, rest_.size()));
        return text;
    }

    std::string_view rest_;
    std::vector<std::string> comments_;
};

bool is_atext(char c) {
    constexpr std::string_view kPunctuation = "!#$%&'*+-/=?^_`{|}~";
    return static_cast<unsigned char>(c) >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || kPunctuation.find(c) != std::string_view::npos;
}

bool is_atom(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_atext);
}

bool is_dot_atom(std::string_view text) {
    for (std::size_t dot = text.find('.'); dot != std::string_view::npos; dot = text.find('.')) {
        if (!is_atom(text.substr(0, dot))) return false;
        text.remove_prefix(dot + 1);
    }
    return is_atom(text);
}

std::string quoted(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') result += '\\';
        result += c;
    }
    return result + '"';
}

// Words with dots between them; dots may also double or stand at an end, as some providers have handed out.
std::optional<std::string> local_part(std::span<const Token> tokens) {
    std::string text;
    bool after_word = false, any_quoted = false;
    for (const Token& token : tokens) {
        if (!token.is('.') && (after_word || !token.is_word())) return std::nullopt;
        if (token.kind == Token::Kind::atom && !is_atom(token.text)) return std::nullopt;
        after_word = token.is_word();
        any_quoted = any_quoted || token.kind == Token::Kind::quoted;
        text += token.text;
    }
    if (tokens.empty()) return std::nullopt;
    return any_quoted && !is_dot_atom(text) ? quoted(text) : text;
}

// White space in a domain literal has no meaning.
std::optional<std::string> domain_literal(std::string_view text) {
    std::string literal = "[";
    for (const char c : text.substr(1, text.size() - 2)) {
        if (is_wsp(c)) continue;
        if (c == '[' || c == ']' || c == '\\') return std::nullopt;
        literal += c;
    }
    return literal + ']';
}

std::optional<std::string> domain(std::span<const Token> tokens) {
    if (tokens.size() == 1 && tokens[0].kind == Token::Kind::literal) return domain_literal(tokens[0].text);
    std::string text;
    bool after_label = false;
    for (const Token& token : tokens) {
        const bool label = token.kind == Token::Kind::atom;
        if (label == after_label || (!label && !token.is('.'))) return std::nullopt;
        after_label = label;
        text += token.text;
    }
    if (!after_label || !is_dot_atom(text)) return std::nullopt;
    return text;
}

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < 32) || c == 127; });
}

std::optional<std::string> mailbox_of(std::span<const Token> tokens) {
    const auto at = std::find_if(tokens.begin(), tokens.end(), [](const Token& token) { return token.is('@'); });
    if (at == tokens.end()) return std::nullopt;
    const std::size_t position = static_cast<std::size_t>(at - tokens.begin());
    const auto local = local_part(tokens.first(position));
    const auto host = domain(tokens.subspan(position + 1));
    if (!local || !host) return std::nullopt;
    std::string mailbox = *local + '@' + *host;
    if (has_control(mailbox)) return std::nullopt;
    return mailbox;
}

std::string phrase_of(std::span<const Token> tokens) {
    std::string phrase;
    for (const Token& token : tokens) {
        if (token.spaced && !phrase.empty()) phrase += ' ';
        phrase += token.text;
    }
    return phrase;
}

class Parser {
  public:
    explicit Parser(std::string_view text) : text_(text) {
        Lexer lexer(text);
        for (;;) {
            token_begin_ = text.size() - lexer.left();
            std::optional<Token> token = lexer.next();
            token_end_ = text.size() - lexer.left();
            if (!token) break;
            if (in_angle_) {
                take_in_angle(std::move(*token));
            } else {
                take(std::move(*token));
            }
        }
        end_address(token_end_);
        names.insert(names.end(), lexer.comments().begin(), lexer.comments().end());
    }

    std::vector<Address> addresses;
    std::vector<std::string> unreadable;
    std::vector<std::string> names;

  private:
    void take(Token token) {
        if (token.is(',') || token.is(';')) {
            end_address(token_begin_);
        } else if (token.is(':')) {
            names.push_back(phrase_of(held_));  // of a group
            held_.clear();
            begin_ = token_end_;
        } else if (token.is('<')) {
            phrase_ = std::exchange(held_, {});
            in_angle_ = true;
        } else {
            held_.push_back(std::move(token));
        }
    }

    void take_in_angle(Token token) {
        const bool in_route = held_.empty() || held_.front().is('@') || held_.front().is(',');
        if (token.is('>') || token.is(';') || (token.is(',') && !in_route)) {
            end_address(token.is('>') ? token_end_ : token_begin_);
        } else if (token.is(':') && in_route) {
            held_.clear();  // the obsolete route (RFC 5322 section 4.4)
        } else {
            held_.push_back(std::move(token));
        }
    }

    void end_address(std::size_t end) {
        if (!phrase_.empty()) names.push_back(phrase_of(phrase_));
        if (auto mailbox = mailbox_of(held_)) {
            addresses.push_back({std::string(trim(decode_words(phrase_of(phrase_)))), std::move(*mailbox)});
        } else if (!held_.empty() || in_angle_) {
            unreadable.emplace_back(trim(text_.substr(begin_, end - begin_)));
        }
        begin_ = token_end_;
        held_.clear();
        phrase_.clear();
        in_angle_ = false;
    }

    std::string_view text_;
    std::size_t begin_ = 0;  // of the current entry
    std::size_t token_begin_ = 0, token_end_ = 0;
    std::vector<Token> held_;
    std::vector<Token> phrase_;  // what stood before "<"
    bool in_angle_ = false;
};

// stands_as_it_is says whether a part of an address list is ASCII that can be folded.
bool stands_as_it_is(std::string_view text) {
    constexpr std::size_t kMostUnfolded = 512;
    std::size_t run = 0;
    return std::all_of(text.begin(), text.end(), [&](char c) {
        run = is_space(c) ? 0 : run + 1;
        return c > 0 && run <= kMostUnfolded;
    });
}

// with_encoded_comments is a part of an address list with what is in its comments as encoded words.
std::string with_encoded_comments(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const char first = text.front();
        const std::size_t size = first == '('                   ? comment_size(text)
                                 : first == '"' || first == '[' ? enclosed_end(text, first == '"' ? '"' : ']') + 1
                                                                : 1;
        const std::string_view piece = text.substr(0, size);
        const bool encode = first == '(' && !stands_as_it_is(piece);
        result += encode ? '(' + encode_phrase(decode_words(resolved(comment_text(piece)))) + ')' : std::string(piece);
        text.remove_prefix(piece.size());
    }
    return result;
}

// ListWriter writes an address list anew, piece by piece: what stands up to a delimiter is a name or an address.
class ListWriter {
  public:
    explicit ListWriter(std::string_view text) : text_(text), lexer_(text) {
        while (const std::optional<Token> token = lexer_.next()) {
            if (in_angle_) {
                in_angle_ = !token->is('>');
                if (!in_angle_) write_as_it_is();
            } else if (token->is('<') || token->is(':')) {
                in_angle_ = token->is('<');
                write_name();
            } else if (token->is(',') || token->is(';')) {
                write_as_it_is();
            } else {
                phrase_.push_back(*token);
            }
        }
        result_ += with_encoded_comments(text_.substr(written_));
    }

    std::string result() && { return std::move(result_); }

  private:
    std::size_t at() const { return text_.size() - lexer_.left(); }

    void write_name() {
        const std::string_view name = text_.substr(written_, at() - written_ - 1);
        const bool has_comment = lexer_.comments().size() != comments_;
        if (stands_as_it_is(name) || has_comment || phrase_.empty()) return write_as_it_is();
        if (!result_.empty()) result_ += ' ';
        result_ += encode_phrase(decode_words(phrase_of(phrase_))) + ' ' + text_[at() - 1];
        start_anew();
    }

    void write_as_it_is() {
        result_ += with_encoded_comments(text_.substr(written_, at() - written_));
        if (text_[at() - 1] == ',' && at() < text_.size() && !is_space(text_[at()])) result_ += ' ';
        start_anew();
    }

    void start_anew() {
        written_ = at();
        comments_ = lexer_.comments().size();
        phrase_.clear();
    }

    std::string_view text_;
    Lexer lexer_;
    std::vector<Token> phrase_;
    std::size_t written_ = 0;   // of the text
    std::size_t comments_ = 0;  // in what was written
    bool in_angle_ = false;
    std::string result_;
};

// What same_mailbox compares; text that is no mailbox, or has no quotes, is compared as it stands.
std::string comparable(std::string_view mailbox) {
    std::string text(mailbox);
    return text.starts_with('"') ? normal_mailbox(text).value_or(text) : text;
}

bool is_domain(std::string_view text) {
    if (!text.starts_with('[')) return is_dot_atom(text);
    return text.find_first_of("[]\\ \t", 1) == text.size() - 1 && text.back() == ']';
}

// A local part that is no quoted string may have its dots anywhere, as local_part takes them.
bool is_dotted(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c == '.' || is_atext(c); });
}

}  // namespace

std::vector<Address> parse_addresses(std::string_view field_value) {
    return Parser(field_value).addresses;
}

std::vector<std::string> unreadable_addresses(std::string_view field_value) {
    return Parser(field_value).unreadable;
}

std::string encode_names(std::string_view field_value) {
    const std::string text = in_utf8(field_value);
    return ListWriter(text).result();
}

std::vector<std::string> names_beside_addresses(std::string_view field_value) {
    return Parser(field_value).names;
}

std::optional<std::string> normal_mailbox(std::string_view text) {
    const bool in_quotes = text.starts_with('"');
    const std::size_t at = in_quotes ? enclosed_end(text, '"') + 1 : text.find('@');
    if (at >= text.size() || text[at] != '@' || has_control(text) || !is_domain(text.substr(at + 1)))
        return std::nullopt;
    const std::string_view local = text.substr(0, at);
    if (!in_quotes) return is_dotted(local) ? std::optional(std::string(text)) : std::nullopt;
    std::string bare = resolved(local.substr(1, local.size() - 2));
    return (is_dot_atom(bare) ? std::move(bare) : quoted(bare)).append(text.substr(at));
}

std::string with_ascii_domain(std::string_view mailbox) {
    const std::size_t at = mailbox.rfind('@');
    if (at == std::string_view::npos || is_ascii(mailbox.substr(at))) return std::string(mailbox);
    return std::string(mailbox.substr(0, at + 1)) + ascii_domain(mailbox.substr(at + 1));
}

bool same_mailbox(std::string_view a, std::string_view b) {
    if (is_ascii(a) && is_ascii(b)) return equal_ignoring_case(comparable(a), comparable(b));
    return equal_ignoring_case(with_ascii_domain(comparable(a)), with_ascii_domain(comparable(b)));
}

bool is_among(const std::vector<std::string>& mailboxes, std::string_view mailbox) {
    return std::any_of(mailboxes.begin(), mailboxes.end(),
                       [&](const std::string& each) { return same_mailbox(each, mailbox); });
}

bool is_mailbox(std::string_view text) {
    return normal_mailbox(text) == text;
}

}  // namespace p11mime::mime
