// The parts of a mail, which are delivered as they are and looked into meanwhile.

#include <fmt/format.h>

#include "cms/smime/ciphertext.h"
#include "cms/smime/classify.h"
#include "cms/smime/joined_source.h"
#include "cms/smime/loosely_decoded.h"
#include "cms/smime/openpgp_text.h"
#include "cms/smime/walk.h"
#include "mime/codec.h"
#include "mime/content_type.h"
#include "mime/content_type_oddity.h"
#include "mime/delimiter_watch.h"
#include "mime/hidden_parts.h"
#include "mime/line_endings.h"
#include "mime/multipart.h"
#include "mime/near_delimiters.h"
#include "mime/text.h"
#include "mime/transport.h"

namespace p11mime::cms::smime {

namespace {

// Outlet is where an entity goes that stays as it is: its header, under the transport fields of the mail, then its
// body, with the line ends of the mail (binary content as it is). A mail that had no layer goes out as it came.
class Outlet final : public Sink {
  public:
    Outlet(const Mail& mail, const mime::Header& header, bool unwrapped, Sink* output)
        : output_(output == nullptr ? nowhere_ : *output),
          lf_(output_),
          to_lf_(output != nullptr && unwrapped && mail.ending == mime::LineEnding::lf &&
                 mime::transfer_encoding(header) != mime::TransferEncoding::binary) {
        push(bytes_of(unwrapped ? content_header(mail, header) : mail.raw));
    }
    void push(ByteView bytes) override { (to_lf_ ? static_cast<Sink&>(lf_) : output_).push(bytes); }
    void finish() {
        if (to_lf_) lf_.finish();
    }

  private:
    NullSink nowhere_;
    Sink& output_;
    mime::LfSink lf_;
    bool to_lf_;
};

// is_open_cms says whether a part is CMS of a type that is not encrypted, as its front shows to every program.
bool is_open_cms(const mime::Header& header, Window& body) {
    if (classify(header) != EntityKind::cms) return false;
    const std::string type = sniff_content_type(body, header);
    return !type.empty() && !is_encrypted_content_type(type);
}

// may_be_multipart says whether programs may take a type that is read as another for a multipart: it starts as that
// (content_type reads more of them), or has its name in front of a boundary.
bool may_be_multipart(const std::string& type) {
    constexpr std::string_view kMultipart = "multipart";
    if (type.starts_with(kMultipart)) return !type.starts_with("multipart/encrypted");
    const std::size_t boundary = type.find("boundary");
    return boundary != std::string::npos && type.find(kMultipart) < boundary;
}

// may_be_message says likewise of a mail: the name stands first, or in front of the first parameter.
bool may_be_message(const std::string& type) {
    return type.starts_with("message") || type.substr(0, type.find('=')).find("message/") != std::string::npos;
}

// names_boundary says whether programs may find a parameter "boundary" in a type, however it is written: continued,
// with comments, without a ";" before it. One is taken for granted where comments behind that name add up to too much.
bool names_boundary(std::string_view type) {
    constexpr std::string_view kName = "boundary", kOfName = " \t\r\n*0123456789";
    constexpr std::size_t kMostInComments = 64 * 1024;
    std::size_t in_comments = 0;
    for (std::size_t at = type.find(kName); at != std::string_view::npos; at = type.find(kName)) {
        type.remove_prefix(at + kName.size());
        std::string_view behind = type;
        while (!behind.empty() && (behind[0] == '(' || kOfName.find(behind[0]) != std::string_view::npos)) {
            const std::size_t size = behind[0] == '(' ? mime::comment_size(behind) : 1;
            if (behind[0] == '(') in_comments += size;
            if (in_comments > kMostInComments) return true;
            behind.remove_prefix(size);
        }
        if (behind.starts_with('=')) return true;
    }
    return false;
}

// is_mail_in_digest says whether a part of a multipart/digest has no type that programs can use, and so is a mail (RFC
// 2046 section 5.1.5).
bool is_mail_in_digest(const mime::Header& header) {
    return !mime::has_content_type(header) &&
           !may_be_multipart(mime::ascii_lower(mime::trim(header.value_or_empty("Content-Type"))));
}

}  // namespace

bool has_odd_boundary(const mime::Header& header) {
    const std::string boundary = mime::content_type(header).parameter("boundary");
    return (boundary.empty() || boundary.starts_with('\'')) &&
           names_boundary(mime::ascii_lower(header.value_or_empty("Content-Type")));
}

// deliver writes an entity that stays as it is: the content of the mail, under the transport fields of the mail.
void Walk::deliver(const mime::Header& header, Source& body, const Place& place) {
    Outlet outlet(mail_, header, place.depth > 0, place.output);
    copy(body, outlet);
    outlet.finish();
}

// leaf delivers an entity without layers and parts, and notes what is encrypted in it meanwhile.
void Walk::leaf(const mime::Header& header, Source& body, const Place& place) {
    const std::string type = mime::ascii_lower(mime::trim(header.value_or_empty("Content-Type")));
    if (place.signatures > 0 && may_be_message(type)) return other_message(header, body, place);
    Outlet outlet(mail_, header, place.depth > 0, place.output);
    TeeSource delivered(body, outlet);
    if (place.signatures > 0 && may_be_multipart(type))
        note_not_looked_into(place, "it is a multipart of no plain type: programs differ in what they make of it");
    mime::DelimiterWatch delimiters(delivered, mime::content_type(header).parameter("boundary"));
    mime::HiddenParts looked_at(delimiters);
    note_ciphertext(header, looked_at, place);
    drain(looked_at);
    outlet.finish();
    if (place.signatures == 0 || may_be_multipart(type) || type.starts_with("multipart")) return;
    if (delimiters.found() || (looked_at.found() && names_boundary(type))) note_boundary(place);
}

// note_boundary tells of an entity that is no multipart, and has lines that delimit parts by its type's boundary.
void Walk::note_boundary(const Place& place) {
    note_not_looked_into(place, "it is no multipart, and has a boundary at which programs may take it apart");
}

// deliver_structure writes a CMS structure that stays on as a ContentInfo of its own: in a mail as its only part.
void Walk::deliver_structure(const std::string& type, Source& structure, const Place& place, bool bare) {
    constexpr Byte kIndefinite = 0x80;
    const Byte sequence[]{tag::kSequence, kIndefinite}, explicit_content[]{tag::context(0, true), kIndefinite};
    const Byte ends[]{0, 0, 0, 0};
    const auto write = [&](Sink& to) {
        to.push(concat({sequence, der_oid(type), explicit_content}));
        copy(structure, to);
        to.push(ends);
    };
    if (place.output == nullptr) return;
    if (bare) return write(*place.output);
    ViewSource text(
        bytes_of("Content-Type: application/pkcs7-mime; name=smime.p7m\r\n"
                 "Content-Transfer-Encoding: base64\r\n"
                 "Content-Disposition: attachment; filename=smime.p7m\r\n\r\n"));
    Window header(text);
    Outlet outlet(mail_, mime::read_header(header), true, place.output);
    const auto base64 = mime::base64_encoder(outlet, mime::LineEnding::crlf);
    write(*base64);
    base64->finish();
    outlet.finish();
}

// multipart delivers a multipart as it is and looks into its parts meanwhile: layers in them cover only a part of the
// mail and stay on.
void Walk::multipart(const mime::Header& header, Window& body, const Place& place) {
    const mime::Parameterized type = mime::content_type(header);
    if (place.signatures > 0 && type.value == "multipart/encrypted") return leaf(header, body, place);
    const std::string boundary = type.parameter("boundary");
    if (!mime::is_boundary(boundary)) {
        note_not_looked_into(place, boundary.empty() ? "it is a multipart without a boundary"
                                                     : "its boundary is too long, or has a line end");
        return deliver(header, body, place);
    }
    Outlet outlet(mail_, header, place.depth > 0, place.output);
    const std::uint64_t begin = body.position();
    TeeSource delivered(body, outlet);
    Window looked_at(delivered);
    mime::Multipart parts(looked_at, boundary);
    mime::HiddenParts preamble(parts.preamble()), epilogue(parts.epilogue(), true);
    note_openpgp_beside(preamble, place);
    const mime::Field& field = *header.find("Content-Type");
    const std::string sooner = mime::boundary_cut_short(field);
    MultipartLevel level(levels_, boundary);
    std::uint64_t near_delimiters = 0;
    for (std::size_t number = 1; level.next(parts); ++number) {
        Place part = place.child(number, true).at(begin + parts.part_begin());
        part.later_part = type.value == "multipart/mixed" && number > 1;
        part.in_digest = type.value == "multipart/digest";
        if (place.signatures == 0) {
            look_into(parts.part(), std::move(part));
            continue;
        }
        mime::NearDelimiters lines(parts.part(), boundary, sooner);
        look_into(lines, std::move(part));
        near_delimiters += lines.count();
    }
    note_openpgp_beside(epilogue, place);
    drain(looked_at);
    outlet.finish();
    if (place.signatures == 0) return;
    if (preamble.found() || epilogue.found())
        note_not_looked_into(place, "it has something like a part before its first part or after its end");
    if (near_delimiters != level.inner())
        note_not_looked_into(place, "it has a line that some programs take for the start of another part");
    if (const std::string_view oddity = mime::content_type_oddity(field); !oddity.empty())
        note_not_looked_into(place,
                             fmt::format("its Content-Type field {}: programs differ in which parts they see", oddity));
}

// note_openpgp_beside reads what is beside the parts of a multipart, and looks for what programs decrypt there that
// look for OpenPGP in all of a mail.
void Walk::note_openpgp_beside(Source& beside, const Place& place) {
    if (place.signatures > 0) {
        JoinedSource lines("\n", beside);  // the first line may be that of an OpenPGP message too
        note_found(openpgp_in(lines, false), place);
    }
    drain(beside);
}

// message delivers a mail inside the mail as it is and looks into it meanwhile.
void Walk::message(const mime::Header& header, Window& body, const Place& place) {
    Outlet outlet(mail_, header, place.depth > 0, place.output);
    const std::uint64_t begin = body.position();
    TeeSource delivered(body, outlet);
    mime::DelimiterWatch delimiters(delivered, mime::content_type(header).parameter("boundary"));
    mime::HiddenParts parts(delimiters);
    look_into(parts, place.child(1, true).at(begin));
    outlet.finish();
    if (place.signatures == 0) return;
    if (delimiters.found() || (parts.found() && has_odd_boundary(header))) note_boundary(place);
}

// other_message looks into what some programs take for a mail: a message of an unusual type, or in a transfer encoding.
// For most it is none, so no layer in it is reported; what is encrypted in it is told.
void Walk::other_message(const mime::Header& header, Source& body, const Place& place) {
    Outlet outlet(mail_, header, place.depth > 0, place.output);
    TeeSource delivered(body, outlet);
    mime::DelimiterWatch delimiters(delivered, mime::content_type(header).parameter("boundary"));
    mime::HiddenParts parts(delimiters);
    LooselyDecoded decoded(parts, mime::transfer_encoding(header));
    const auto layers = static_cast<std::ptrdiff_t>(report_.layers.size());
    Place mail = place.child(1, true);
    mail.misread.clear();
    look_into(decoded, std::move(mail));
    report_.layers.erase(report_.layers.begin() + layers, report_.layers.end());
    drain(parts);
    outlet.finish();
    if (delimiters.found() || (parts.found() && has_odd_boundary(header))) note_boundary(place);
}

// look_into reports the layers of a part. One that cannot be read is passed over: it is delivered as it is. In what is
// decrypted without authentication that shows no sooner than that the padding is right: an error takes the report
// along.
void Walk::look_into(Source& part, Place place) {
    place.whole = false;
    place.output = nullptr;
    LabelWatch labels(part);
    WorkSource level(place.signatures > 0 ? labels : part, workload_);
    TracedSource source(level);
    Window window(source);
    const auto layers = static_cast<std::ptrdiff_t>(report_.layers.size());
    bool open_cms = false;
    try {
        const EntityStart start = read_entity_start(window);
        if (!start.fault.empty()) start.refuse();
        open_cms = is_open_cms(start.header, window);
        place.attached = place.attached || (place.later_part && is_attachment(start.header));
        if (place.in_digest && is_mail_in_digest(start.header))
            message(start.header, window, place.under(start.header));
        else if (start.is_none())
            text(window, place);
        else
            entity(start.header, window, place);
    } catch (const Error& error) {
        if (!goes_on_after(error, source)) throw;
        report_.layers.erase(report_.layers.begin() + layers, report_.layers.end());
        open_cms ? note_unreadable(place, error.what()) : note_unread(place, error.what());
    }
    drain(window);
    note_labels(labels, place);
}

}  // namespace p11mime::cms::smime
