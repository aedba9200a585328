// Content that cannot be read: a signature is over bytes, and judged on them; parts are delivered as they are.

#include <fmt/format.h>

#include <algorithm>

#include "cms/identifiers.h"
#include "cms/smime/classify.h"
#include "cms/smime/walk.h"

namespace p11mime::cms::smime {

// goes_on_after says whether a walk may go on after an error: one of what is made of bytes, not of the bytes
// themselves, and within the limits.
bool Walk::goes_on_after(const Error& error, const TracedSource& source) {
    const bool limit = dynamic_cast<const LimitExceeded*>(&error) != nullptr;
    return error.kind() == ErrorKind::malformed && !limit && !source.failed();
}

// refuse_excess ends the reading where something in signed content exceeds a limit, once the content is known to be
// what was signed: what was changed may exceed it because of that, and it is the signature then that does not hold.
void Walk::refuse_excess(const Place& content, std::size_t layer) const {
    const std::vector<SignerVerdict>& signers = report_.layers[layer].signers;
    const bool holds = std::all_of(signers.begin(), signers.end(),
                                   [](const SignerVerdict& signer) { return signer.integrity == Integrity::valid; });
    if (again_ || !(holds || options_.task == Task::inspect)) return;
    for (const auto& [path, known] : knowledge_)
        if (known.excess && (path == content.path || path.starts_with(content.path + ".")))
            throw LimitExceeded(*known.excess);
}

// note_unread tells of a part that others may read, and keeps which: what has a label of something encrypted may be
// that for them (note_labels).
void Walk::note_unread(const Place& place, const std::string& why) {
    note_unreadable(place, why);
    unread_parts_.insert(place.path);
}

// note_unreadable tells of a part that nobody can read.
void Walk::note_unreadable(const Place& place, const std::string& why) {
    if (++unread_ > kMaxLayers)
        throw LimitExceeded(fmt::format("the mail has more than {} parts that cannot be read", kMaxLayers));
    report_.warnings.push_back({"unreadable-part", fmt::format("part {} cannot be read: {}", place.path, why)});
}

// note_labels doubts a part that cannot be read and has a label of something encrypted, wherever in it that stands:
// programs that read it may decrypt what is there. An attachment stands for itself.
void Walk::note_labels(const LabelWatch& labels, const Place& place) {
    if (unread_parts_.contains(place.path) && labels.found() && !place.attached)
        note_encrypted(place, Certainty::possible);
}

// note_not_looked_into says that content is not looked into. Other programs may make something of it, so no whole mail
// that has it is valid.
void Walk::note_not_looked_into(const Place& place, const std::string& why) {
    if (place.whole)
        doubt(fmt::format("what is signed cannot be read: {}", why), "ask the sender to send it in another way");
    else
        note_unread(place, why);
}

// note_part_header warns of a part of what is signed whose header programs may read as another's.
void Walk::note_part_header(const mime::Header& header, const Place& place) {
    if (place.signatures == 0) return;
    const auto unclear = [&](std::string_view oddity) {
        note_unread(place, fmt::format("its header has {}: programs differ in what they make of it", oddity));
    };
    for (const char* name : {"Content-Type", "Content-Transfer-Encoding"})
        if (header.all(name).size() > 1) return unclear(fmt::format("several {} fields", name));
    if (const std::string_view oddity = mime::header_oddity(header.raw()); !oddity.empty()) return unclear(oddity);
    const std::vector<std::string> ambiguous = mime::content_type(header).ambiguous;
    if (std::find(ambiguous.begin(), ambiguous.end(), "boundary") != ambiguous.end()) unclear("two boundaries");
}

// note_elsewhere warns of signed content that stands for what is elsewhere (RFC 2046 sections 5.2.2 and 5.2.3).
void Walk::note_elsewhere(const mime::Header& header, const Place& place) {
    const std::string type = mime::content_type(header).value;
    if (!came_signed()) return;
    if (type == "message/partial")
        note_unreadable(place, "it is a fragment of a mail, and no signature here covers the others");
    if (type == "message/external-body")
        note_unreadable(place, "it refers to content elsewhere, which no signature here covers");
}

// leave_unread delivers content as it is.
void Walk::leave_unread(Window& content, const std::string& type, const Place& place, bool bare) {
    note_not_looked_into(place, knowledge_[place.path].fault);
    if (is_encrypted_content_type(type) && !place.whole) note_encrypted(place, Certainty::possible);
    if (type != oid::kData && is_cms_content_type(type)) return deliver_structure(type, content, place, bare);
    if (!bare) {
        const EntityStart start = read_entity_start(content);
        return deliver(start.header, content, place);
    }
    if (place.output != nullptr) copy(content, *place.output);
}

}  // namespace p11mime::cms::smime
