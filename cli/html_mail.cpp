#include "cli/html_mail.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/terminal.h"
#include "cms/identifiers.h"
#include "cms/smime/classify.h"
#include "cms/smime/mail.h"
#include "mime/address.h"
#include "mime/charset.h"
#include "mime/codec.h"
#include "mime/error.h"
#include "mime/multipart.h"
#include "mime/text.h"
#include "mime/transport.h"

namespace p11mime::cli {

namespace {

using cms::smime::EntityKind;

constexpr std::size_t kMaxFields = 500;
constexpr std::size_t kMaxAttachedFields = 10;  // of each attached mail
constexpr std::size_t kLongestCharacter = 8;    // in bytes, of any charset, with what shifts before it

// beside_addresses is what an address field has besides its addresses: entries that are none, names of groups,
// comments.
std::string beside_addresses(const std::vector<MailField::Person>& persons, const std::string& value) {
    std::vector<std::string> texts;
    const auto add = [&](const std::string& raw) {
        std::string text = mime::decode_words(raw);
        const bool is_name = std::any_of(persons.begin(), persons.end(),
                                         [&](const MailField::Person& person) { return person.name == text; });
        if (!is_name && std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(std::move(text));
    };
    for (const auto& list : {mime::unreadable_addresses(value), mime::names_beside_addresses(value)})
        std::for_each(list.begin(), list.end(), add);
    return texts.empty() ? "" : fmt::format("besides, as it stands there: {}", fmt::join(texts, ", "));
}

MailField address_field(std::string name, const std::string& value) {
    MailField field{std::move(name), {}, {}};
    std::size_t size = 0;
    for (mime::Address& address : mime::parse_addresses(value)) {
        size += address.display_name.size() + address.mailbox.size();
        if (size > kMaxShownField) {
            field.text = "and others";
            break;
        }
        field.persons.push_back({std::move(address.display_name), std::move(address.mailbox)});
    }
    if (field.persons.empty())
        field.text = shortened(mime::decode_words(value), kMaxShownField);
    else if (field.text.empty())
        field.text = shortened(beside_addresses(field.persons, value), kMaxShownField);
    return field;
}

using Names = std::vector<const char*>;

std::vector<MailField> shown_fields(const mime::Header& header, const Names& of_addresses, std::size_t most) {
    std::vector<MailField> fields;
    for (const char* name : of_addresses)
        for (const mime::Field* field : header.all(name))
            if (fields.size() < most) fields.push_back(address_field(name, field->value()));
    for (const char* name : {"Date", "Subject"})
        for (const mime::Field* field : header.all(name))
            if (fields.size() < most)
                fields.push_back({name, {}, shortened(mime::decode_words(field->value()), kMaxShownField)});
    return fields;
}

// Beginning keeps the first bytes of what it is pushed and counts all.
class Beginning final : public Sink {
  public:
    explicit Beginning(std::size_t limit) : limit_(limit) {}
    void push(ByteView bytes) override {
        size_ += bytes.size();
        kept_ += text_of(bytes.first(std::min(bytes.size(), limit_ - kept_.size())));
    }
    const std::string& kept() const { return kept_; }
    std::uint64_t size() const { return size_; }

  private:
    std::size_t limit_;
    std::string kept_;
    std::uint64_t size_ = 0;
};

// converted is text in UTF-8; a character that the cut has split is dropped. Nothing where the charset is not known or
// is not that of the bytes.
std::optional<std::string> converted(const std::string& charset, std::string_view bytes, bool cut) {
    auto text = mime::to_utf8(charset, bytes);
    for (std::size_t drop = 1; !text && cut && drop < std::min(kLongestCharacter, bytes.size()); ++drop)
        text = mime::to_utf8(charset, bytes.substr(0, bytes.size() - drop));
    return text;
}

// closed_words says what a CMS structure is that was left on.
std::string closed_words(Window& body, const mime::Header& header) {
    const std::string type = cms::smime::sniff_content_type(body, header);
    const bool certificates = mime::ascii_lower(mime::content_type(header).parameter("smime-type")) == "certs-only";
    if (cms::smime::is_encrypted_content_type(type))
        return "an encrypted part, left closed here: save it and open it by itself";
    if (type == cms::oid::kSignedData)
        return certificates ? "certificates, and no text"
                            : "a signed part that has its text inside, left closed here: save it and open it by itself";
    if (type == cms::oid::kCompressedData) return "a compressed part, left closed here: save it and open it by itself";
    if (cms::smime::is_cms_content_type(type)) return "an S/MIME part, left closed here: save it and open it by itself";
    return "it calls itself S/MIME, and is not";
}

class Reader {
  public:
    explicit Reader(MailText& mail) : mail_(mail), parts_(&mail.parts) {}

    /// bare reads content that is no MIME entity.
    void bare(Window& content) {
        const bool binary = text_of(content.peek(cms::smime::kFront)).find('\0') != std::string_view::npos;
        leaf({}, content, binary ? MailPart::Kind::attachment : MailPart::Kind::text);
    }

    void entity(const mime::Header& header, Window& body, const std::string& path, std::size_t depth) {
        if (depth > mime::kMaxNesting) throw Error(ErrorKind::malformed, "nested too deep");
        switch (cms::smime::classify(header)) {
            case EntityKind::clear_signed:
                return clear_signed(header, body, path, depth);
            case EntityKind::cms:
                return leaf(header, body, MailPart::Kind::closed, closed_words(body, header));
            case EntityKind::multipart:
                return multipart(header, body, path, depth);
            case EntityKind::message:
                return attached(header, body, path, depth);
            case EntityKind::leaf:
                return leaf(header, body, kind_of(header));
        }
    }

  private:
    static MailPart::Kind kind_of(const mime::Header& header) {
        if (mime::content_disposition(header).value == "attachment") return MailPart::Kind::attachment;
        const std::string type = mime::content_type(header).value;
        if (type == "text/html") return MailPart::Kind::html;
        return type == "text/plain" ? MailPart::Kind::text : MailPart::Kind::attachment;
    }

    void inner(Source& part, const std::string& path, std::size_t depth) {
        Window window(part);
        const mime::Header header = cms::smime::read_entity_header(window);
        entity(header, window, path, depth + 1);
        drain(window);
    }

    // The signature is over the first part alone, whatever there is besides.
    void clear_signed(const mime::Header& header, Window& body, const std::string& path, std::size_t depth) {
        mail_.signed_paths.push_back(path);
        mime::Multipart parts(body, mime::content_type(header).parameter("boundary"));
        for (std::size_t number = 1; parts.next(); ++number) {
            const std::string inner_path = fmt::format("{}.{}", path, number);
            if (number == 2) continue;  // the signature
            if (number == 1) signed_in_.push_back(path);
            inner(parts.part(), inner_path, depth);
            if (number == 1) signed_in_.pop_back();
        }
    }

    void multipart(const mime::Header& header, Window& body, const std::string& path, std::size_t depth) {
        const std::string boundary = mime::content_type(header).parameter("boundary");
        if (!mime::is_boundary(boundary)) return leaf(header, body, MailPart::Kind::attachment);
        mime::Multipart parts(body, boundary);
        for (std::size_t number = 1; parts.next(); ++number)
            inner(parts.part(), fmt::format("{}.{}", path, number), depth);
    }

    void attached(const mime::Header& header, Window& body, const std::string& path, std::size_t depth) {
        if (mails_ == kMaxShownMails)
            return leaf(header, body, MailPart::Kind::closed,
                        "a mail attached to attached mails, left closed here: save it and open it by itself");
        MailPart* part = add(header, MailPart::Kind::mail);
        if (part == nullptr) return;
        const cms::smime::EntityStart start = cms::smime::read_entity_start(body);
        if (!start.fault.empty()) part->remark = "its header cannot be read, and is among its text";
        part->fields = shown_fields(start.header, {"From"}, kMaxAttachedFields);
        std::vector<MailPart>* const around = std::exchange(parts_, &part->parts);
        ++mails_;
        entity(start.header, body, path + ".1", depth + 1);
        --mails_;
        parts_ = around;
    }

    // add starts a part; null where there are too many.
    MailPart* add(const mime::Header& header, MailPart::Kind kind) {
        if (count_ == kMaxShownParts) {
            ++mail_.more_parts;
            return nullptr;
        }
        ++count_;
        const mime::Parameterized type = mime::content_type(header);
        MailPart& part = parts_->emplace_back();
        part.kind = kind;
        part.type = shortened(type.value, kMaxShownField);
        part.name = mime::content_disposition(header).parameter("filename");
        if (part.name.empty()) part.name = type.parameter("name");
        part.name = shortened(mime::decode_words(part.name), kMaxShownField);
        part.signed_in = signed_in_;
        return &part;
    }

    void leaf(const mime::Header& header, Source& body, MailPart::Kind kind, std::string closed = {}) {
        MailPart* part = add(header, kind);
        if (part == nullptr) return;
        part->closed = std::move(closed);
        Beginning beginning(kind == MailPart::Kind::text ? kMaxShownText - shown_ : 0);
        try {
            copy(*mime::decode(body, mime::transfer_encoding(header)), beginning);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::malformed) throw;
            part->remark = "it is broken: its transfer encoding ends or changes in the middle";
        }
        part->bytes = beginning.size();
        if (kind == MailPart::Kind::text) set_text(*part, mime::content_type(header).parameter("charset"), beginning);
    }

    void set_text(MailPart& part, const std::string& charset, const Beginning& beginning) {
        part.cut = beginning.size() > beginning.kept().size();
        const auto text = converted(charset.empty() ? "UTF-8" : charset, beginning.kept(), part.cut);
        if (!text && part.remark.empty())
            part.remark = charset.empty() ? "it does not say what characters its bytes stand for"
                                          : "it cannot be read in the character set that it names";
        part.text = text.value_or(beginning.kept());
        if (part.text.size() > kMaxShownText - shown_) {
            part.text.resize(mime::whole_characters(part.text, kMaxShownText - shown_).size());
            part.cut = true;
        }
        shown_ += part.text.size();
    }

    MailText& mail_;
    std::vector<MailPart>* parts_;  // of the mail that is read, which may be an attached one
    std::size_t mails_ = 0;         // that are attached around it
    std::size_t count_ = 0;         // of parts of all
    std::vector<std::string> signed_in_;
    std::size_t shown_ = 0;  // bytes of text
};

}  // namespace

MailText read_mail_text(Source& content) {
    MailText mail;
    Window window(content);
    try {
        if (cms::smime::is_mime_entity(window.peek(cms::smime::kFront))) {
            const mime::Header header = mime::read_header(window, true);
            mail.fields = shown_fields(header, {"From", "Sender", "Reply-To", "To", "Cc"}, kMaxFields);
            Reader(mail).entity(header, window, "", 0);
        } else if (!window.peek(1).empty()) {
            Reader(mail).bare(window);
        }
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::malformed) throw;
        mail.broken = true;
    }
    return mail;
}

}  // namespace p11mime::cli
