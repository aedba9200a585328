#include "cms/smime/ciphertext.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "cms/content_info.h"
#include "cms/smime/classify.h"
#include "cms/smime/label_watch.h"
#include "cms/smime/loosely_decoded.h"
#include "mime/content_type.h"
#include "mime/content_type_oddity.h"
#include "mime/error.h"
#include "mime/text.h"
#include "mime/uuencoded_files.h"

namespace p11mime::cms::smime {

namespace {

constexpr std::size_t kLongestArmour = 64;  // of the line that OpenPGP in ASCII begins with

constexpr std::size_t kShortest = 15;  // of what starts something encrypted, a ContentInfo at least

constexpr std::string_view kBlanks = " \t\r\n";

void skip(std::string_view characters, Window& text) {
    for (ByteView front = text.peek(1); !front.empty(); front = text.peek(1)) {
        const std::size_t blanks = std::min(text_of(front).find_first_not_of(characters), front.size());
        if (blanks == 0) return;
        text.consume(blanks);
    }
}

// is_encrypted_content_info: one `under_a_name` of S/MIME may be encrypted further in, whatever its type, as nothing
// else takes apart what has that name and another label.
bool is_encrypted_content_info(Source& der, bool under_a_name) {
    constexpr std::string_view kPkcs = "1.2.840.113549.1.";  // types of RFC 5652, and of what it is based on
    try {
        Window content(der);
        const ByteView first = content.peek(1);
        if (first.empty() || first[0] != tag::kSequence) return false;  // as of nearly all text
        BerReader reader(content);
        const std::string type = enter_content_info(reader);
        return is_encrypted_content_type(type) || (under_a_name && type.starts_with(kPkcs));
    } catch (const Error&) {
        return false;
    }
}

bool starts_encrypted(ByteView front, bool under_a_name) {
    std::string_view text = text_of(front);
    if (armoured_openpgp(text) == "encrypted") return true;
    ViewSource der(front);
    if (is_encrypted_content_info(der, under_a_name)) return true;

    if (text.starts_with("-----BEGIN ")) text.remove_prefix(std::min(text.find('\n'), text.size()));
    ViewSource lines(bytes_of(text));
    LooselyDecoded decoded(lines, mime::TransferEncoding::base64);
    return is_encrypted_content_info(decoded, under_a_name);
}

// is_openpgp_message knows the packets that an encrypted message starts with (RFC 9580 sections 4.2 and 5): a session
// key, or the encrypted data. Keys and signatures have files of the same names.
bool is_openpgp_message(ByteView front) {
    constexpr std::array<unsigned, 5> kEncrypted{1, 3, 9, 18, 20};
    const unsigned first = front.empty() ? 0U : front[0];
    const unsigned packet = (first & 0x40) != 0 ? first & 0x3f : first >> 2 & 0x0f;
    return first >= 0x80 && std::find(kEncrypted.begin(), kEncrypted.end(), packet) != kEncrypted.end();
}

bool is_openpgp_name(const std::string& name) {
    return name.ends_with(".pgp") || name.ends_with(".gpg") || name.ends_with(".asc");
}

Ciphertext certain(bool there) {
    return there ? Ciphertext::there : Ciphertext::none;
}

Ciphertext ciphertext_or_mail(const mime::Header& header, Source& body, bool mail_inside);

// is_encrypted_file judges a file in a text by its front. Under a name of S/MIME, what is open at first may be
// encrypted further in.
bool is_encrypted_file(const std::string& name, ByteView front) {
    if (front.size() < kShortest) return false;
    if (is_cms_name(name) && starts_encrypted(front, true)) return true;
    ViewSource file(front);
    return (is_openpgp_name(name) && is_openpgp_message(front)) ||
           ciphertext_or_mail({}, file, true) == Ciphertext::there;
}

// ciphertext_in_text looks for what programs find in a text that look for files and OpenPGP messages all over it.
Ciphertext ciphertext_in_text(Source& text, bool is_html) {
    bool encrypted_file = false;
    mime::UuencodedFiles files(text, kFront, [&](std::string_view label, ByteView front) {
        encrypted_file = encrypted_file || is_encrypted_file(file_name(label), front);
    });
    const Ciphertext found = openpgp_in(files, is_html);
    return encrypted_file ? Ciphertext::there : found;
}

Ciphertext ciphertext_or_mail(const mime::Header& header, Source& body, bool mail_inside) {
    const std::string type = mime::content_type(header).value;
    // What follows may be a character that shows nothing.
    if (type.starts_with("application/pgp-encrypted") || type.starts_with("multipart/encrypted"))
        return Ciphertext::there;
    const mime::TransferEncoding encoding = mime::transfer_encoding(header);
    const bool is_decoded = encoding != mime::TransferEncoding::unknown;
    const std::vector<std::string> names = file_names(header);
    const bool named_openpgp = std::ranges::any_of(names, is_openpgp_name);
    const bool named_cms = std::ranges::any_of(names, is_cms_name);
    if (!is_decoded && (named_openpgp || named_cms)) return Ciphertext::there;
    LooselyDecoded decoded(body, encoding);
    Window content(decoded);
    if (mail_inside && header.find("Content-Type") == nullptr) {
        skip("\r\n", content);  // as some programs do before a header
        const EntityStart mail = read_entity_start(content);
        const std::string inner = mime::content_type(mail.header).value;
        if (inner.starts_with("multipart/") || inner.starts_with("message/")) {
            LabelWatch labels(content);
            drain(labels);
            return certain(labels.found());
        }
        if (!mail.is_none()) return ciphertext_or_mail(mail.header, content, false);
    }
    skip(kBlanks, content);
    const ByteView front = content.peek(kFront);
    if (starts_encrypted(front.first(std::min(front.size(), kFront)), named_cms) ||
        (named_openpgp && is_openpgp_message(front)))
        return Ciphertext::there;
    // Programs that take content apart at a boundary, whatever its type, may find text in it, and those that know
    // another transfer encoding a file.
    const bool is_text = type.starts_with("text/") || type == "application/pgp" || !is_decoded ||
                         !mime::content_type(header).parameter("boundary").empty();
    return is_text ? ciphertext_in_text(content, type == "text/html") : Ciphertext::none;
}

}  // namespace

Ciphertext ciphertext_in(const mime::Header& header, Source& body) {
    return ciphertext_or_mail(header, body, true);
}

std::string_view armoured_openpgp(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
    if (text.starts_with("-----BEGIN PGP SIGNED MESSAGE-----")) return "signed";
    return text.starts_with(kOpenPgpLine) ? "encrypted" : "";
}

std::string_view openpgp_protection(const mime::Header& header, Window& body) {
    const mime::Parameterized type = mime::content_type(header);
    const std::string protocol = mime::ascii_lower(type.parameter("protocol"));
    if (type.value == "multipart/signed") return protocol == "application/pgp-signature" ? "signed" : "";
    if (type.value == "multipart/encrypted") return protocol == "application/pgp-encrypted" ? "encrypted" : "";
    if (type.value.starts_with("multipart/") || type.value.starts_with("message/")) return "";
    ViewSource front(body.peek(kFront));
    try {
        LooselyDecoded decoded(front, mime::transfer_encoding(header));
        Window text(decoded);
        skip(kBlanks, text);
        return armoured_openpgp(text_of(text.peek(kLongestArmour)));
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::malformed) throw;
        return "";  // the front ends within a letter
    }
}

bool is_attachment(const mime::Header& header) {
    if (header.all("Content-Type").size() > 1 || !mime::header_oddity(header.raw()).empty()) return false;
    const std::vector<const mime::Field*> dispositions = header.all("Content-Disposition");
    if (dispositions.size() != 1 || !mime::content_disposition_oddity(*dispositions[0]).empty() ||
        mime::content_disposition(header).value != "attachment")
        return false;
    const mime::Parameterized type = mime::content_type(header);
    if (type.value.starts_with("message/")) return true;
    const std::vector<std::string> names = file_names(header);
    const bool own_name = !names.empty() && std::none_of(names.begin(), names.end(), [](const std::string& name) {
        return name.starts_with("smime");
    });
    return own_name && type.parameter("smime-type").empty() && !type.value.starts_with("multipart/");
}

}  // namespace p11mime::cms::smime
