#include "cms/smime/walk.h"

#include <fmt/format.h>

#include <algorithm>

#include "cms/identifiers.h"
#include "cms/smime/armour.h"
#include "cms/smime/ciphertext.h"
#include "cms/smime/classify.h"
#include "mime/codec.h"
#include "mime/limit.h"
#include "mime/text.h"
#include "mime/transport.h"

namespace p11mime::cms::smime {

namespace {

// kMaxDigests bounds the digests of the same content, so that the work stays in proportion to the mail: one a level.
constexpr std::size_t kMaxDigests = mime::kMaxNesting;

constexpr const char* kSignedCiphertext = "what is signed is itself encrypted: its signer need not know the text";
constexpr const char* kGpg = "a mail program for OpenPGP, or gpg, looks into it";

std::string openpgp_words(const OpenPgp& found) {
    return fmt::format("{} claims to be {} with OpenPGP, which p11mime does not look at",
                       found.whole ? "the mail" : fmt::format("part {}", found.path), found.protection);
}

constexpr const char* kSignTheText = "ask the sender to sign the text itself";

}  // namespace

Walk::Place Walk::Place::child(std::size_t number, bool same_layer) const {
    if (depth >= mime::kMaxNesting)
        throw LimitExceeded(fmt::format("the mail is nested more than {} levels deep", mime::kMaxNesting));
    Place inner = *this;
    inner.path = fmt::format("{}.{}", path, number);
    if (!same_layer) inner.parent = path;
    inner.later_part = inner.in_digest = false;
    ++inner.depth;
    return inner;
}

Walk::Place Walk::Place::under(const mime::Header& header) const {
    Place inner = *this;
    inner.header_fields += header.fields.size();
    for (const mime::Field& field : header.fields)
        inner.header_bytes += field.raw.size();
    if (inner.header_fields > mime::kMaxHeaderFields || inner.header_bytes > mime::kMaxHeaderBytes)
        throw LimitExceeded("the headers of parts inside each other are larger together than the limit");
    return inner;
}

Walk::Place Walk::Place::content(std::size_t digests_of_it) const {
    Place inner = child(1, false);
    inner.begin = 0;
    inner.digests += digests_of_it;
    if (inner.digests > kMaxDigests)
        throw LimitExceeded(
            fmt::format("the layers of the mail ask for more than {} digests of the same content", kMaxDigests),
            "it is made to exhaust whoever reads it");
    return inner;
}

Walk::Place Walk::Place::signed_content(std::size_t digests_of_it) const {
    Place inner = content(digests_of_it);
    ++inner.signatures;
    return inner;
}

Walk::Place Walk::Place::decrypted_content() const {
    Place inner = content(0);
    inner.signatures = 0;
    return inner;
}

Walk::Place Walk::Place::at(std::uint64_t offset) const {
    Place further = *this;
    if (further.begin) *further.begin += offset;
    return further;
}

void Walk::run(Source& input, Sink& output) {
    report_.signatures_looked_for = takes_signed();
    MeasuredSource expanded(input, expansion_);
    MeasuredSource worked_on(expanded, workload_);
    Window window(worked_on);
    const InputForm form = recognise(window);
    sender_.check = options_.sender_check.value_or(SenderCheck::off);
    if (form == InputForm::entity || options_.entity) {
        note_mail(read_mail(window, options_.entity));
        entity(mail_.entity, window,
               {.path = "1", .parent = std::nullopt, .whole = true, .depth = 0, .output = &output});
    } else if (form == InputForm::other) {
        throw Error(ErrorKind::malformed,
                    window.peek(1).empty() ? "the input is empty" : "the input is neither a mail nor CMS",
                    before_header_hint(window));
    } else {
        bare_cms(window, form, output);
    }
    if (again_) return;
    if (failure_) {
        tell_text_beside();
        throw Error(*failure_);
    }
    require_layer();
    if (options_.detached_content && !has_detached_)
        throw Error(ErrorKind::malformed, "the input carries what it signs: it is no signature over a file of its own",
                    "leave --content out, and look at the content that comes out");
    if (options_.task == Task::inspect) return tell_text_beside();
    view_senders();
    note_no_sender();
    const bool only_decrypts = options_.task == Task::decrypt;  // which trusts nobody: a warning tells of a weak cipher
    conclude(report_, sender_, doubts_, options_.allow_weak || only_decrypts);
    tell_text_beside();
}

// require_layer refuses a mail without a layer of the kind that the task is for.
void Walk::require_layer() const {
    if (options_.task == Task::open || options_.task == Task::inspect) return;
    const bool verify = options_.task == Task::verify;
    const Layer* certificates = nullptr;
    const Layer* part = nullptr;
    for (const Layer& layer : report_.layers) {
        const bool encrypted = is_encrypted(layer.type);
        if (verify ? layer.type == LayerType::signed_data : encrypted && layer.covers_whole) return;
        if (layer.type == LayerType::certs_only) certificates = &layer;
        if (encrypted) part = &layer;
    }
    if (!left_alone_.empty()) throw Error(ErrorKind::malformed, left_alone_, "'p11mime open' takes off every layer");
    if (part != nullptr)
        throw Error(ErrorKind::malformed, fmt::format("only a part of the mail ({}) is encrypted", part->path),
                    "save that part and decrypt it by itself");
    if (verify && certificates != nullptr)
        throw Error(ErrorKind::malformed, "the mail carries certificates and no signature",
                    "'p11mime certs import' keeps certificates");
    if (report_.openpgp) throw Error(ErrorKind::malformed, openpgp_words(*report_.openpgp), kGpg);
    if (verify && has_stray_signature_)
        throw Error(ErrorKind::malformed, "the mail has a signature that nothing tells what it is over",
                    "somebody on the way may have changed how the mail is built: ask the sender to send it again in "
                    "another way");
    throw Error(ErrorKind::malformed, verify ? "the mail is not signed" : "the mail is not encrypted");
}

void Walk::bare_cms(Window& input, InputForm form, Sink& output) {
    if (const std::string protection(armoured_openpgp(text_of(input.peek(kFront)))); !protection.empty())
        throw Error(ErrorKind::malformed,
                    fmt::format("the input claims to be {} with OpenPGP, which p11mime does not look at", protection),
                    kGpg);
    const Place place{.path = "1", .parent = std::nullopt, .whole = true, .depth = 0, .output = &output};
    if (form == InputForm::der) {
        cms(input, "", place, true);
    } else {
        PemSource lines(input);
        Source& base64 = form == InputForm::pem ? static_cast<Source&>(lines) : input;
        const auto der = mime::decode(base64, mime::TransferEncoding::base64);
        cms(*der, "", place, true);
    }
    drain(input);
    if (!report_.layers.empty() && !has_detached_) note_range(0, place, 0, input.position());
}

void Walk::entity(const mime::Header& header, Window& body, const Place& around) {
    Place place = around.under(header);
    if (place.whole)
        note_fields(header.fields);
    else
        note_part_header(header, place);
    note_encoding(header, place);
    place.attached = place.attached || (place.later_part && is_attachment(header));
    const EntityKind kind = classify(header);
    const bool layer = kind == EntityKind::clear_signed || kind == EntityKind::cms;
    if (place.whole && layer) note_around(header);
    if (place.whole && place.depth > 0 && !layer) return payload(header, body, place);
    if (place.whole) note_sender(header);
    if (place.whole && place.depth > 0) note_left_out(header);
    any_entity(header, body, place);
}

void Walk::any_entity(const mime::Header& header, Window& body, const Place& place) {
    note_openpgp(header, body, place);
    switch (classify(header)) {
        case EntityKind::clear_signed:
            if (takes_signed()) return clear_signed(header, body, place);
            if (place.whole && left_alone_.empty()) left_alone_ = "the mail is signed on the outside";
            return deliver(header, body, place);
        case EntityKind::cms:
            return cms_entity(header, body, place);
        case EntityKind::multipart:
            return multipart(header, body, place);
        case EntityKind::message:
            return message(header, body, place);
        case EntityKind::leaf:
            note_elsewhere(header, place);
            if (!place.whole && is_signature_part(header)) note_stray_signature(place);
            return leaf(header, body, place);
    }
}

// note_stray_signature tells of a signature that nothing says of what it is over. Gateways and lists make another
// multipart of a multipart/signed, and its signature an attachment; inside what is signed, it is one that was attached,
// as that of a file is.
void Walk::note_stray_signature(const Place& place) {
    has_stray_signature_ = true;
    const char* words =
        place.signatures > 0
            ? "part {} is a signature by itself, as for a file beside it, and is not checked here: save both, and "
              "check them with 'p11mime verify --content FILE SIGNATURE'"
            : "part {} is a signature, but nothing tells what it is over: somebody on the way may have changed how the "
              "mail is built; ask the sender to send it again in another way";
    if (report_.warnings.size() < kMaxLayers)
        report_.warnings.push_back({"stray-signature", fmt::format(fmt::runtime(words), place.path)});
}

// note_smime_type doubts a mail that calls itself something else than it is: others go by that.
void Walk::note_smime_type(const mime::Header& header, LayerType type) {
    const std::string said = mime::ascii_lower(mime::content_type(header).parameter("smime-type"));
    if (said.empty()) return;
    const bool fits = is_encrypted(type)               ? said == "enveloped-data" || said == "authenveloped-data"
                      : type == LayerType::signed_data ? said == "signed-data" || said == "signed-receipt"
                      : type == LayerType::compressed  ? said == "compressed-data"
                                                       : true;
    if (!fits) doubt(fmt::format("the mail calls itself {}, and is {}", said, name(type)));
}

// leaves_alone says whether the task leaves a structure of a type on, and keeps why. Layers of parts stay on anyway.
bool Walk::leaves_alone(const std::string& type, const char* what, const Place& place) {
    const char* kind = nullptr;
    if (type == oid::kSignedData && !takes_signed()) kind = "signed";
    if (type == oid::kAuthenticatedData && (options_.task == Task::verify || options_.task == Task::decrypt))
        kind = "authenticated with a key that is shared";
    if (is_encrypted_content_type(type) && options_.task == Task::verify && place.output != nullptr) kind = "encrypted";
    if (kind != nullptr && left_alone_.empty()) left_alone_ = fmt::format("{} is {} on the outside", what, kind);
    return kind != nullptr;
}

// note_left_encrypted doubts a signature over what stays encrypted.
void Walk::note_left_encrypted(const std::string& type) {
    if (is_encrypted_content_type(type)) doubt(kSignedCiphertext, "'p11mime open' looks inside");
}

// note_encrypted tells of what stays encrypted. Mail programs may decrypt it and show its text as that of whoever
// signed, who need not know it: that is doubted, unless an attachment stands for itself there.
void Walk::note_encrypted(const Place& place, Certainty certainty) {
    const char* is = certainty == Certainty::certain ? "is" : "may be";
    if (options_.task == Task::inspect && !foreseeing_) return;
    if (++encrypted_ > kMaxLayers)
        throw LimitExceeded(fmt::format("the mail has more than {} parts that are encrypted", kMaxLayers));
    if (place.signatures > 0 && place.whole) return doubt(kSignedCiphertext, kSignTheText);
    if (place.signatures > 0 && !place.attached)
        doubt(fmt::format("part {}, which is signed, {} encrypted: its signer need not know the text", place.path, is),
              kSignTheText);
    report_.warnings.push_back(
        {"encrypted-part", fmt::format("part {} {} encrypted by itself and was left as it is{}", place.path, is,
                                       place.signatures > 0 ? ": no signature here tells who wrote its text" : "")});
}

// note_openpgp tells of what nothing is judged of, the first time. What is encrypted under a signature is told as such.
void Walk::note_openpgp(const mime::Header& header, Window& body, const Place& place) {
    if (report_.openpgp || foreseeing_) return;
    const std::string protection(openpgp_protection(header, body));
    if (protection.empty() || (protection == "encrypted" && place.signatures > 0)) return;
    report_.openpgp = OpenPgp{place.path, place.whole, protection};
    report_.warnings.push_back({"openpgp", fmt::format("{}: {}", openpgp_words(*report_.openpgp), kGpg)});
}

// note_ciphertext looks at a leaf that is signed.
void Walk::note_ciphertext(const mime::Header& header, Source& body, const Place& place) {
    if (place.signatures > 0) note_found(ciphertext_in(header, body), place);
}

// note_found tells of what is encrypted in what is signed. Quotes of that are in honest answers: they are told of.
void Walk::note_found(Ciphertext found, const Place& place) {
    if (found == Ciphertext::there) note_encrypted(place);
    if (found != Ciphertext::quoted || (options_.task == Task::inspect && !foreseeing_)) return;
    const Warning warning{"encrypted-part",
                          fmt::format("part {} quotes an encrypted text: no signature here tells who wrote what some "
                                      "mail programs show there",
                                      place.path)};
    if (report_.warnings.size() < kMaxLayers) report_.warnings.push_back(warning);
}

void Walk::cms_entity(const mime::Header& header, Window& body, const Place& place) {
    const std::string sniffed = sniff_content_type(body, header);
    if (leaves_alone(sniffed, "the mail", place)) {
        if (place.whole) note_left_encrypted(sniffed);
        return deliver(header, body, place);
    }
    if (sniffed.empty()) {
        ViewSource front(body.peek(kFront));
        note_ciphertext(header, front, place);
    }
    if (place.whole) {
        note_label(header);
        if (!is_named_as_cms(header))
            doubt("what is signed has a name under which some programs show it as something else",
                  "rely on nothing that is shown under that name");
    }
    const std::uint64_t begin = body.position();
    const std::size_t layer = report_.layers.size();
    const auto der = mime::decode(body, cms_encoding(body, header));
    cms(*der, mime::content_type(header).value, place, false);
    drain(body);
    if (layer == report_.layers.size()) return;
    note_range(layer, place, begin, body.position());
    if (place.whole) note_smime_type(header, report_.layers[layer].type);
}

}  // namespace p11mime::cms::smime
