// What the layers of a mail protect, and what they do not.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "cms/smime/classify.h"
#include "cms/smime/joined_source.h"
#include "cms/smime/legacy_display.h"
#include "cms/smime/walk.h"
#include "mime/content_type.h"
#include "mime/content_type_oddity.h"
#include "mime/delimiter_watch.h"
#include "mime/hidden_parts.h"
#include "mime/text.h"

namespace p11mime::cms::smime {

namespace {

constexpr const char* kSendAgain = "do not go by what a mail program shows of it; ask the sender to send it again";

}  // namespace

// note_mail keeps the header of the mail: what stands outside its layers.
void Walk::note_mail(Mail mail) {
    mail_ = std::move(mail);
    for (const mime::Field& field : mail_.transport)
        if (mime::equal_ignoring_case(field.name, "From")) add_senders(sender_, field.value());
    report_.from = sender_.mailboxes;
    report_.subject = mail_.subject();
    report_.date = mail_.date();
    if (report_.date) sender_.date = parse_time(*report_.date);
    note_fields(mail_.transport);
    note_lines(mime::without_blank_ends(mail_.raw));
}

// note_sender holds the From fields inside a layer against the signer too: some programs show them in place of the
// outer ones, or a Sender field.
void Walk::note_sender(const mime::Header& header) {
    for (const mime::Field* field : header.all("From")) {
        add_senders(sender_, field->value());
        more_senders_.push_back(*field);
    }
    for (const mime::Field* field : header.all("Sender"))
        more_senders_.push_back(*field);
    if ((mail_.names_sender() || !more_senders_.empty()) && !options_.sender_check)
        sender_.check = SenderCheck::require;
}

// view_senders looks at whom a signed mail shows as its sender, once all its layers are off. Answers may go to who
// signed the text, and not to who signed its encrypted form alone.
void Walk::view_senders() {
    bool is_signed = false;
    std::vector<std::string> signers;
    for (const Layer& layer : report_.layers) {
        if (!layer.covers_whole || layer.type != LayerType::signed_data) continue;
        is_signed = true;
        if (!signs_text(report_, layer)) continue;
        for (const SignerVerdict& signer : layer.signers)
            if (signer.certificate)
                for (std::string& email : signer.certificate->emails())
                    signers.push_back(std::move(email));
    }
    if (!is_signed || options_.sender_check == SenderCheck::off) return;
    std::vector<mime::Field> fields = mail_.transport;
    fields.insert(fields.end(), more_senders_.begin(), more_senders_.end());
    SenderView view = view_sender(fields, signers, options_.known_addresses);
    doubts_.sender = std::move(view.doubts);
    report_.warnings.insert(report_.warnings.end(), view.warnings.begin(), view.warnings.end());
}

// note_no_sender warns of a signed mail without a sender to hold the signer against: some programs show another field
// as such. Where nothing but a Reply-To goes for one, that is held against the signer.
void Walk::note_no_sender() {
    const auto has = [&](std::string_view name) {
        return std::any_of(mail_.transport.begin(), mail_.transport.end(),
                           [&](const mime::Field& field) { return mime::equal_ignoring_case(field.name, name); });
    };
    if (!mail_.is_mail || !came_signed() || options_.sender_check == SenderCheck::off) return;
    if (mail_.names_sender() || !more_senders_.empty()) return;
    if (!has("Reply-To") || has("Author") || has("Resent-From"))
        report_.warnings.push_back({"no-sender", "the mail names no sender: go by the name of the signer alone"});
}

void Walk::doubt(const std::string& reason, const std::string& hint) {
    doubts_.coverage.push_back({reason, hint});
}

// note_fields doubts headers in which each reader may see something else. Who else gets a mail, and when it was sent,
// no signature tells of fields outside: nothing is won with two that differ (RFC 5322 section 4.5.3 has such To and
// Cc).
void Walk::note_fields(const std::vector<mime::Field>& fields) {
    enum class Twice { doubted, if_they_differ, never };
    constexpr std::array<std::pair<std::string_view, Twice>, 9> kOnce{{{"From", Twice::doubted},
                                                                       {"Sender", Twice::doubted},
                                                                       {"Reply-To", Twice::if_they_differ},
                                                                       {"To", Twice::never},
                                                                       {"Cc", Twice::never},
                                                                       {"Subject", Twice::if_they_differ},
                                                                       {"Date", Twice::never},
                                                                       {"Content-Type", Twice::doubted},
                                                                       {"Content-Transfer-Encoding", Twice::doubted}}};
    for (const auto& [name, twice] : kOnce) {
        std::vector<std::string> values;
        for (const mime::Field& field : fields)
            if (mime::equal_ignoring_case(field.name, name)) values.push_back(field.value());
        if (values.size() < 2) continue;
        const bool alike = std::all_of(values.begin(), values.end(), [&](const auto& v) { return v == values[0]; });
        const std::string words =
            fmt::format("the header has {} {} fields{}", values.size(), name,
                        alike && twice != Twice::doubted ? ", all alike" : ": programs differ in which they show");
        if (twice == Twice::doubted || (twice == Twice::if_they_differ && !alike))
            doubt(words, kSendAgain);
        else
            report_.warnings.push_back({"repeated-field", words});
    }
    for (const mime::Field& field : fields) {
        if (!mime::equal_ignoring_case(field.name, "Content-Type")) continue;
        for (const std::string& parameter : mime::parse_parameterized(field.value()).ambiguous)
            if (parameter != "name")
                doubt(fmt::format("the Content-Type field has two values of {}: programs differ in which they follow",
                                  parameter),
                      kSendAgain);
    }
}

// note_around doubts the header of an entity that has a signature inside, where programs may see another structure.
void Walk::note_around(const mime::Header& header) {
    note_lines(header.raw());
    for (const mime::Field* field : header.all("Content-Type")) {
        const std::string_view oddity = mime::content_type_oddity(*field);
        if (!oddity.empty())
            doubt(fmt::format("the Content-Type field {}: programs differ in which parts they see", oddity),
                  kSendAgain);
    }
}

// note_label doubts the header of a signature, or of what holds one, where programs may read other names than others
// do, and open it as something else.
void Walk::note_label(const mime::Header& header) {
    const std::vector<const mime::Field*> dispositions = header.all("Content-Disposition");
    if (dispositions.size() > 1)
        doubt("the signature has two Content-Disposition fields: programs differ in which they follow", kSendAgain);
    for (const mime::Field* field : dispositions) {
        const std::string_view oddity = mime::content_disposition_oddity(*field);
        if (!oddity.empty())
            doubt(fmt::format("the Content-Disposition field {}: programs differ in the name they read", oddity),
                  kSendAgain);
    }
    for (const mime::Field& field : header.fields) {
        const bool is_type = mime::equal_ignoring_case(field.name, "Content-Type");
        if (!is_type && !mime::equal_ignoring_case(field.name, "Content-Disposition")) continue;
        const std::string parameter = is_type ? "name" : "filename";
        const mime::Parameterized value = mime::parse_parameterized(field.value());
        const std::vector<std::string>& ambiguous = value.ambiguous;
        if (value.parameter(parameter).find(';') != std::string::npos)
            doubt("the signature has a name with a semicolon: programs differ in where that name ends", kSendAgain);
        if (mime::has_two_forms(field, parameter) ||
            std::find(ambiguous.begin(), ambiguous.end(), parameter) != ambiguous.end())
            doubt(fmt::format("the signature has two names in its {} field: programs differ in which they follow",
                              field.name),
                  kSendAgain);
    }
}

// note_lines doubts a header around a signature whose lines programs may tell apart differently: what is a part of a
// field for one is a field, or text, for another.
void Walk::note_lines(std::string_view raw_header) {
    const std::string_view oddity = mime::header_oddity(raw_header);
    if (!oddity.empty())
        doubt(
            fmt::format("the header has {}: programs differ in what they take for a field, and what for text", oddity),
            kSendAgain);
}

// text walks on in content without a header, or with one that cannot be read.
void Walk::text(Window& content, const Place& place) {
    mime::HiddenFields looked_through(content);
    Window body(looked_through);
    entity({}, body, place);
    note_hidden(looked_through, place);
}

// note_hidden doubts content without a header that can be read, where programs that pass over some of its lines find
// one.
void Walk::note_hidden(mime::HiddenFields& text, const Place& place) {
    drain(text);
    if (!text.found()) return;
    if (!place.whole)
        note_unread(place, "it has header fields behind lines that are none");
    else
        doubt(
            "what is signed has header fields behind lines that are none: programs differ in what they take for its "
            "header",
            kSendAgain);
}

// note_encoding looks for a multipart or mail with a transfer encoding, which RFC 2045 section 6.4 forbids, and RFC
// 6532 section 3.7 allows for message/global: some programs decode it before they look for parts, others do not.
void Walk::note_encoding(const mime::Header& header, Place& place) {
    constexpr std::array<std::string_view, 4> kAllowed{"", "7bit", "8bit", "binary"};
    const std::string type = mime::content_type(header).value;
    if (!type.starts_with("multipart/") && !is_mail_type(type)) return;
    const std::string field = header.value_or_empty("Content-Transfer-Encoding");
    const std::string encoding = mime::ascii_lower(mime::trim(field));
    if (std::find(kAllowed.begin(), kAllowed.end(), encoding) != kAllowed.end()) return;
    std::string reason =
        fmt::format("{} has the transfer encoding {}: programs differ in what they show of it", type, encoding);
    if (place.whole) return doubt(reason, "ask the sender for a mail without that encoding");
    note_unread(place, reason);
    place.misread = std::move(reason);
}

// payload walks on in what the layers protect (RFC 9788 section 1.8): header fields in it may be the mail's own.
void Walk::payload(const mime::Header& header, Window& body, const Place& place) {
    note_lines(header.raw());
    const auto inner = protected_header(header);
    if (!inner && wraps_mail(header)) return watched_mail(header, body, place);
    if (!inner) {
        note_sender(header);
        note_left_out(header);
        note_protected({});
        return any_entity(header, body, place);
    }
    adopt(*inner);
    if (inner->form != ProtectedHeader::Form::cipher || !came_encrypted())
        return any_entity(inner->entity, body, place);
    const auto edited = without_legacy_display(inner->entity, body, inner->fields, [this] {
        const Warning warning{"legacy-display",
                              "the text is marked to start with a copy of header fields, and starts with something "
                              "else: it was left as it is"};
        if (std::find(report_.warnings.begin(), report_.warnings.end(), warning) == report_.warnings.end())
            report_.warnings.push_back(warning);
    });
    Window rest(*edited);
    Place within = place;
    within.begin = std::nullopt;
    any_entity(edited->header(), rest, within);
}

// watched_mail takes a mail out as wrapped_mail does, and looks for lines in it at which programs may take it apart.
void Walk::watched_mail(const mime::Header& header, Window& body, const Place& place) {
    const std::string boundary = mime::content_type(header).parameter("boundary");
    const bool odd = has_odd_boundary(header);
    if (place.signatures == 0 || (boundary.empty() && !odd)) return wrapped_mail(header, body, place);
    mime::DelimiterWatch delimiters(body, boundary);
    mime::HiddenParts parts(delimiters);
    Window watched(parts);
    Place within = place;
    within.begin = std::nullopt;
    wrapped_mail(header, watched, within);
    drain(watched);
    if (delimiters.found() || (odd && parts.found())) note_boundary(place);
}

// wrapped_mail takes a mail out that was put inside whole to protect its header (RFC 8551 section 3.1). One that has
// layers or protected fields of its own is a mail of its own (RFC 9788 section 4.10.1).
void Walk::wrapped_mail(const mime::Header& header, Window& body, const Place& place) {
    const EntityStart start = read_entity_start(body);
    const mime::Header& mail = start.header;
    note_lines(mail.raw());
    const EntityKind kind = classify(mail);
    if (classify(header) == EntityKind::message && kind != EntityKind::clear_signed && kind != EntityKind::cms &&
        !mail.fields.empty() && !is_marked(header) && !is_marked(mail)) {
        const Place within = place.under(mail);
        note_fields(mail.fields);
        const ProtectedHeader inner = wrapped_header(mail);
        adopt(inner);
        return any_entity(inner.entity, body, within);
    }
    note_sender(header);
    note_left_out(header);
    note_protected({});
    const std::uint64_t begin = body.position() - mail.raw().size();
    mime::HiddenFields text(body);
    JoinedSource joined(mail.raw(), text);
    Window whole(joined);
    any_entity(header, whole, place.at(begin));
    if (start.is_none()) note_hidden(text, place);
}

// note_left_out warns of fields in the header of the content that are not marked as the mail's, and say something else.
void Walk::note_left_out(const mime::Header& header) {
    constexpr std::size_t kMostNamed = 5;
    if (!mail_.is_mail) return;
    std::vector<std::string> names;
    for (const mime::Field& field : header.fields) {
        const bool of_entity = mime::is_mime_field(field.name) || mime::equal_ignoring_case(field.name, "MIME-Version");
        const bool outside = std::any_of(mail_.transport.begin(), mail_.transport.end(), [&](const mime::Field& other) {
            return mime::equal_ignoring_case(other.name, field.name) && other.value() == field.value();
        });
        if (!of_entity && !outside) names.push_back(field.name);
    }
    if (names.size() > kMostNamed) {
        names.resize(kMostNamed);
        names.emplace_back("and others");
    }
    if (!names.empty())
        report_.warnings.push_back(
            {"header-inside",
             fmt::format("fields inside that are not marked as the mail's were left out: {}", fmt::join(names, ", "))});
}

// adopt makes protected fields those of the mail. Without a signature, nothing but what relays have checked speaks for
// a sender, so a From field inside that is another than that outside is not taken (RFC 9788 section 4.4). Those in the
// headers of layers between stay among the senders: some programs show them.
void Walk::adopt(ProtectedHeader inner) {
    const bool encrypted = came_encrypted();
    report_.confidential_headers = confidential_names(inner, mail_.transport, encrypted);
    OuterHeader outer = hold_against(inner, mail_.transport, encrypted);
    report_.warnings.insert(report_.warnings.end(), outer.warnings.begin(), outer.warnings.end());
    const auto stays = [&](const mime::Field& copy) {
        return std::ranges::any_of(outer.kept, [&](const mime::Field& field) {
            return comparable(field.name, field.value()) == comparable(copy.name, copy.value());
        });
    };
    if (!inner.blind_copies.empty())
        report_.warnings.push_back(
            {"header-inside",
             std::ranges::all_of(inner.blind_copies, stays)
                 ? "the Bcc field inside stands outside too, and was kept there: the mail would go there again if it "
                   "were sent on"
                 : "a Bcc field inside was left out: the mail would go there again if it were sent on"});
    if (inner.form == ProtectedHeader::Form::cipher && !encrypted)
        report_.warnings.push_back(
            {"encryption-missing", "the mail was made to be encrypted, and its encryption was taken off on the way"});
    const std::vector<mime::Field> between = more_senders_;
    const std::string differs_between = from_differs(inner, between);
    const auto is_from = [](const mime::Field& field) { return mime::equal_ignoring_case(field.name, "From"); };
    if (!outer.from_differs.empty() && !came_signed()) {
        outer.from_differs += "; nothing tells who wrote it";
        std::erase_if(inner.fields, is_from);
        std::erase(report_.confidential_headers, "from");
        std::copy_if(mail_.transport.begin(), mail_.transport.end(), std::back_inserter(outer.kept), is_from);
    }
    std::copy_if(
        mail_.transport.begin(), mail_.transport.end(), std::back_inserter(more_senders_),
        [&](const mime::Field& field) { return is_from(field) || mime::equal_ignoring_case(field.name, "Sender"); });
    mail_.transport = std::move(outer.kept);
    mail_.transport.insert(mail_.transport.end(), inner.fields.begin(), inner.fields.end());
    mail_.is_mail = true;
    sender_.mailboxes.clear();
    sender_.contradiction.clear();
    for (const mime::Field& field : mail_.transport)
        if (mime::equal_ignoring_case(field.name, "From")) add_senders(sender_, field.value());
    report_.from = sender_.mailboxes;
    for (const mime::Field& field : between)
        if (is_from(field)) add_senders(sender_, field.value());
    if (!differs_between.empty()) sender_.contradiction = differs_between;
    if (!outer.from_differs.empty()) sender_.contradiction = std::move(outer.from_differs);
    if (mail_.names_sender() && !options_.sender_check) sender_.check = SenderCheck::require;
    report_.subject = mail_.subject();
    report_.date = mail_.date();
    note_protected(inner.names());
}

// note_protected keeps the names of the fields that all layers around here protect. A signature over the encrypted form
// is of somebody who need not know them.
void Walk::note_protected(const std::vector<std::string>& names) {
    for (Layer& layer : report_.layers)
        layer.protected_headers = signs_ciphertext(report_, layer) ? std::vector<std::string>{} : names;
}

bool Walk::came_signed() const {
    return std::any_of(report_.layers.begin(), report_.layers.end(),
                       [](const Layer& layer) { return layer.type == LayerType::signed_data; });
}

bool Walk::came_encrypted() const {
    return std::any_of(report_.layers.begin(), report_.layers.end(),
                       [](const Layer& layer) { return is_encrypted(layer.type); });
}

}  // namespace p11mime::cms::smime
