#include "cms/smime/legacy_display.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "cms/smime/classify.h"
#include "cms/smime/joined_source.h"
#include "cms/smime/legacy_element.h"
#include "cms/smime/protected_headers.h"
#include "mime/charset.h"
#include "mime/codec.h"
#include "mime/content_type.h"
#include "mime/hex.h"
#include "mime/multipart.h"
#include "mime/text.h"
#include "mime/transport.h"
#include "mime/unicode.h"

namespace p11mime::cms::smime {

namespace {

using mime::TransferEncoding;

constexpr std::string_view kLegacyMark = "hp-legacy-display";
constexpr std::size_t kFrontBytes = 64 * 1024;  // of a body in which an element is looked for

// Part is a main body part on the way: its header, and what its body becomes, which may read from the body.
struct Part {
    mime::Header header;
    std::unique_ptr<Source> body;
};
using Edit = std::function<Part(mime::Header header, Window& body)>;

// Passed gives out a window as it is.
class Passed final : public Source {
  public:
    explicit Passed(Window& from) : from_(from) {}
    ByteView pull() override { return from_.pull(); }

  private:
    Window& from_;
};

// front_of is the front of a body in which an element is looked for, whatever the pieces that the body comes in.
std::string_view front_of(Window& body) {
    return text_of(body.peek(kFrontBytes)).substr(0, kFrontBytes);
}

bool is_attachment(const mime::Header& header) {
    return mime::content_disposition(header).value == "attachment";
}

// EditedParts walks into the multiparts of an entity down to its main body parts; all else goes through as it is.
class EditedParts final : public EditedEntity {
  public:
    EditedParts(mime::Header header, Source& body, Edit edit) : body_(body), edit_(std::move(edit)) {
        header_ = open(std::move(header), body_);
    }

    const mime::Header& header() const override { return header_; }

    ByteView pull() override {
        for (;;) {
            if (!held_.empty()) {
                given_ = std::exchange(held_, {});
                return bytes_of(given_);
            }
            if (leaf_) {
                if (const ByteView piece = leaf_->pull(); !piece.empty() || levels_.empty()) return piece;
                leaf_.reset();
                next_part();
            } else if (levels_.empty()) {
                return body_.pull();
            } else if (const ByteView piece = section().pull(); !piece.empty()) {
                return piece;
            } else if (levels_.back()->stage == Stage::epilogue) {
                levels_.pop_back();
                if (levels_.empty()) return {};
                next_part();
            } else {
                next_part();
            }
        }
    }

  private:
    enum class Stage { preamble, part, epilogue };

    struct Level {
        Level(Window& body, const std::string& boundary, bool are_alternatives)
            : parts(body, boundary), alternatives(are_alternatives) {}
        mime::Multipart parts;
        bool alternatives;
        Stage stage = Stage::preamble;
        std::size_t number = 0;
        std::unique_ptr<Window> part;  // that was opened
    };

    Source& section() {
        Level& level = *levels_.back();
        if (level.stage == Stage::preamble) return level.parts.preamble();
        return level.stage == Stage::part ? level.parts.part() : level.parts.epilogue();
    }

    void next_part() {
        Level& level = *levels_.back();
        const bool more = level.parts.next();
        held_ += level.parts.delimiter();
        level.stage = more ? Stage::part : Stage::epilogue;
        level.part.reset();
        if (!more || (++level.number > 1 && !level.alternatives)) return;
        level.part = std::make_unique<Window>(level.parts.part());
        held_ += open(read_entity_start(*level.part).header, *level.part).raw();
    }

    // open looks into an entity whose header was read, and gives the header that it gets.
    mime::Header open(mime::Header header, Window& body) {
        const mime::Parameterized type = mime::content_type(header);
        const EntityKind kind = classify(header);
        const std::string boundary = type.parameter("boundary");
        const bool text = kind == EntityKind::leaf && (type.value == "text/plain" || type.value == "text/html");
        // The parts of a digest are mails of others.
        const bool has_body =
            type.value != "multipart/encrypted" && type.value != "multipart/signed" && type.value != "multipart/digest";
        if (kind == EntityKind::multipart && has_body && mime::is_boundary(boundary) &&
            levels_.size() < mime::kMaxNesting) {
            levels_.push_back(std::make_unique<Level>(body, boundary, type.value == "multipart/alternative"));
        } else if (text && !is_attachment(header)) {
            Part part = edit_(std::move(header), body);
            leaf_ = std::move(part.body);
            return std::move(part.header);
        } else {
            leaf_ = std::make_unique<Passed>(body);
        }
        return header;
    }

    Window body_;
    Edit edit_;
    mime::Header header_;
    std::vector<std::unique_ptr<Level>> levels_;
    std::unique_ptr<Source> leaf_;
    std::string held_, given_;
};

mime::Field* find(mime::Header& header, std::string_view name) {
    const auto field = std::find_if(header.fields.begin(), header.fields.end(), [&](const mime::Field& each) {
        return mime::equal_ignoring_case(each.name, name);
    });
    return field == header.fields.end() ? nullptr : &*field;
}

void set_field(mime::Header& header, mime::Field field) {
    if (mime::Field* old = find(header, field.name))
        *old = std::move(field);
    else
        header.fields.push_back(std::move(field));
}

// Adding puts the element in front of a text.
class Adding {
  public:
    explicit Adding(std::vector<HiddenField> fields) : fields_(std::move(fields)) {}

    Part operator()(mime::Header header, Window& body) const {
        if (header.end.empty()) return {std::move(header), std::make_unique<Passed>(body)};  // there is no body
        const bool html = mime::content_type(header).value == "text/html";
        const TransferEncoding encoding = mime::transfer_encoding(header);
        const std::string charset = mime::content_type(header).parameter("charset");
        const bool like_ascii = charset.empty() || mime::is_shared(charset);
        if (encoding == TransferEncoding::unknown || (html && encoding == TransferEncoding::base64) || !like_ascii)
            return {std::move(header), std::make_unique<Passed>(body)};
        const std::string lines = suit(header, encoding);
        std::string front = html ? through_body_tag(body) : "";
        const std::string element = html ? fmt::format("\r\n<div class=\"{}\">\r\n<pre>{}</pre>\r\n</div>\r\n",
                                                       kLegacyDisplayClass, escaped(lines))
                                         : padded(lines, encoding) + std::string(kAfterLines);
        front += encoded(element, encoding, header.ending());
        return {std::move(header), std::make_unique<JoinedSource>(std::move(front), body)};
    }

  private:
    static constexpr std::string_view kAfterLines = "\r\n\r\n";

    // suit marks the part and gives the lines in letters that its charset has; what has none is made to.
    std::string suit(mime::Header& header, TransferEncoding encoding) const {
        const mime::LineEnding ending = header.ending();
        mime::Field type = find(header, "Content-Type") != nullptr
                               ? *find(header, "Content-Type")
                               : mime::make_field("Content-Type", "text/plain", ending);
        const std::string charset = mime::ascii_lower(mime::content_type(header).parameter("charset"));
        const bool plain = charset.empty() || charset == "us-ascii";
        std::string lines = lines_of(plain || charset == "utf-8" ? &HiddenField::text : &HiddenField::ascii);
        if (!mime::is_ascii(lines)) {
            if (plain) type = mime::with_parameter(type, "charset", "utf-8");
            if (encoding == TransferEncoding::seven_bit)
                set_field(header, mime::make_field("Content-Transfer-Encoding", "8bit", ending));
        }
        set_field(header, mime::with_parameter(type, kLegacyMark, "1"));
        return lines;
    }

    std::string lines_of(std::string HiddenField::*form) const {
        std::string lines;
        for (const HiddenField& field : fields_)
            lines += fmt::format("{}{}: {}", lines.empty() ? "" : "\r\n", field.name, field.*form);
        return lines;
    }

    static std::string escaped(const std::string& text) {
        std::string result;
        for (const char c : text)
            result += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
        return result;
    }

    // In base64 the element takes whole groups of three bytes, so that what follows stays as it is.
    static std::string padded(std::string lines, TransferEncoding encoding) {
        while (encoding == TransferEncoding::base64 && (lines.size() + kAfterLines.size()) % 3 != 0)
            lines += ' ';
        return lines;
    }

    // encoded is the element in a transfer encoding, with the line ends of what is around it.
    static std::string encoded(std::string element, TransferEncoding encoding, mime::LineEnding ending) {
        if (encoding == TransferEncoding::base64) element = mime::base64_text(bytes_of(element)) + "\r\n";
        if (encoding == TransferEncoding::quoted_printable) {
            BytesSink sink;
            const auto encoder = mime::quoted_printable_encoder(sink);
            encoder->push(bytes_of(element));
            encoder->finish();
            element = text_of(sink.bytes);
        }
        if (ending == mime::LineEnding::lf) std::erase(element, '\r');
        return element;
    }

    // through_body_tag takes HTML up to the end of <body>: the element is the first thing in it.
    static std::string through_body_tag(Window& body) {
        const std::string lower = mime::ascii_lower(front_of(body));
        const std::size_t tag = lower.find("<body");
        const std::size_t tag_end = tag == std::string_view::npos ? tag : lower.find('>', tag);
        if (tag_end == std::string_view::npos) return {};
        std::string front(text_of(body.peek(tag_end + 1)).substr(0, tag_end + 1));
        body.consume(tag_end + 1);
        return front;
    }

    std::vector<HiddenField> fields_;
};

// Recoded is a body in base64 of which the front was left out, encoded anew.
class Recoded final : public Source {
  public:
    Recoded(Window& body, mime::LineEnding ending)
        : decoded_(mime::decode(body, TransferEncoding::base64)),
          front_(*decoded_),
          encoder_(mime::base64_encoder(sink_, ending)) {}

    Window& decoded() { return front_; }
    void put_before(std::string_view text) { encoder_->push(bytes_of(text)); }

    ByteView pull() override {
        while (sink_.bytes.empty() && !done_) {
            const ByteView piece = front_.pull();
            done_ = piece.empty();
            if (done_)
                encoder_->finish();
            else
                encoder_->push(piece);
        }
        std::swap(given_, sink_.bytes);
        sink_.bytes.clear();
        return given_;
    }

  private:
    std::unique_ptr<Source> decoded_;
    Window front_;
    BytesSink sink_;
    std::unique_ptr<mime::Encoder> encoder_;
    Bytes given_;
    bool done_ = false;
};

// Written is a text as it stands in its transfer encoding, and where in that each byte of it stands.
struct Written {
    std::string text;
    std::vector<std::size_t> at;  // one more than the text has: where it ends
};

// out_of_quoted_printable decodes the front of a body as mime::decode does, but for blanks at the ends of lines.
Written out_of_quoted_printable(std::string_view body) {
    Written written;
    for (std::size_t i = 0; i < body.size();) {
        const std::string_view after = body[i] == '=' ? body.substr(i + 1, 2) : std::string_view();
        if (after.starts_with('\n') || after == "\r\n") {  // a soft line break
            i += after.starts_with('\n') ? 2 : 3;
            continue;
        }
        const int high = after.size() == 2 ? hex_value(after[0]) : -1, low = high < 0 ? -1 : hex_value(after[1]);
        written.text += low < 0 ? body[i] : static_cast<char>(high * 16 + low);
        written.at.push_back(i);
        i += low < 0 ? 1 : 3;
    }
    written.at.push_back(body.size());
    return written;
}

// Omitting takes elements out of a marked text that repeat the protected fields.
class Omitting {
  public:
    Omitting(const std::vector<mime::Field>& fields, std::function<void()> left_in) : left_in_(std::move(left_in)) {
        for (const mime::Field& field : fields)
            fields_.insert(comparable(field.name, field.value()));
    }

    Part operator()(mime::Header header, Window& body) const {
        const mime::Parameterized type = mime::content_type(header);
        if (type.parameter(kLegacyMark) != "1") return {std::move(header), std::make_unique<Passed>(body)};
        mime::Field& field = *find(header, "Content-Type");
        field = mime::without_parameter(field, kLegacyMark);
        const TransferEncoding encoding = mime::transfer_encoding(header);
        if (encoding == TransferEncoding::base64) {
            auto recoded = std::make_unique<Recoded>(body, header.ending());
            recoded->put_before(omit(recoded->decoded(), type, false));
            return {std::move(header), std::move(recoded)};
        }
        std::string kept = omit(body, type, encoding == TransferEncoding::quoted_printable);
        return {std::move(header), std::make_unique<JoinedSource>(std::move(kept), body)};
    }

  private:
    // omit consumes the front of a body and gives what stays of it.
    std::string omit(Window& body, const mime::Parameterized& type, bool quoted_printable) const {
        const std::string front(front_of(body));
        body.consume(front.size());
        const Written written = quoted_printable ? out_of_quoted_printable(front) : Written{front, {}};
        const LegacyElements elements =
            legacy_elements(written.text, type.parameter("charset"), type.value == "text/html", fields_);
        if (elements.others) left_in_();
        const auto place = [&](std::size_t at) { return quoted_printable ? written.at[at] : at; };
        std::string kept;
        std::size_t end = 0;
        for (const auto& element : elements.repeating) {
            kept += front.substr(end, place(element.first) - end);
            end = place(element.second);
        }
        return kept + front.substr(end);
    }

    std::set<std::string> fields_;
    std::function<void()> left_in_;
};

}  // namespace

std::unique_ptr<EditedEntity> with_legacy_display(mime::Header header, Source& body, const Protection& protection) {
    return std::make_unique<EditedParts>(std::move(header), body, Adding(protection.hidden));
}

std::unique_ptr<EditedEntity> without_legacy_display(mime::Header header, Source& body,
                                                     const std::vector<mime::Field>& fields,
                                                     std::function<void()> left_in) {
    return std::make_unique<EditedParts>(std::move(header), body, Omitting(fields, std::move(left_in)));
}

}  // namespace p11mime::cms::smime
