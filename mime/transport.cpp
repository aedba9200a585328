#include "mime/transport.h"

#include <fmt/format.h>

#include <algorithm>

#include "mime/address.h"
#include "mime/error.h"
#include "mime/limit.h"
#include "mime/line_endings.h"
#include "mime/multipart.h"
#include "mime/text.h"
#include "mime/transport_stages.h"

namespace p11mime::mime {

namespace {

// Pass is what all entities of one pass share.
struct Pass {
    Canonicalisation form;
    TransportPlan plan;
    TopHeader top;
    TransportPlan needed = {};
    std::string refusal = {};
    std::size_t leaves = 0;

    bool clear_signed() const { return form == Canonicalisation::clear_signed; }

    void refuse(std::string reason) {
        if (refusal.empty()) refusal = std::move(reason);
    }

    std::optional<TransferEncoding> planned(std::size_t leaf) const {
        const auto found = std::find_if(plan.changes.begin(), plan.changes.end(),
                                        [leaf](const TransportPlan::Change& change) { return change.leaf == leaf; });
        if (found == plan.changes.end()) return std::nullopt;
        return found->to;
    }
};

// Place is where an entity stands in the whole.
struct Place {
    std::string path = {};  // "" for the whole
    std::size_t depth = 0;
    bool in_digest = false;

    std::string name() const { return path.empty() ? "the content" : "part " + path; }
    Place child(std::size_t number, bool child_in_digest) const {
        return {path.empty() ? fmt::format("{}", number) : fmt::format("{}.{}", path, number), depth + 1,
                child_in_digest};
    }
};

// Shape is what an entity's header says about its body.
struct Shape {
    std::string type;
    std::string boundary;
    TransferEncoding encoding;

    bool is_multipart() const { return type.starts_with("multipart/"); }
    bool is_text() const { return type.starts_with("text/"); }
    bool is_protected() const {
        return type == "multipart/signed" || type == "multipart/encrypted" || type == "application/pkcs7-mime" ||
               type == "application/x-pkcs7-mime";
    }
    bool may_be_encoded() const { return !is_protected() && !type.starts_with("message/"); }
    bool is_identity() const {
        return encoding == TransferEncoding::seven_bit || encoding == TransferEncoding::eight_bit ||
               encoding == TransferEncoding::binary;
    }

    // For messages to people: a type is the sender's text and may hold anything.
    std::string printable_type() const {
        const bool printable = std::all_of(type.begin(), type.end(), [](char c) { return c > 32 && c < 127; });
        return printable && type.size() < 100 ? type : "of an odd type";
    }
};

// The parts of a multipart/digest are messages by default (RFC 2046 section 5.1.5).
Shape shape_of(const Header& header, bool in_digest) {
    const Parameterized type = content_type(header);
    return {!has_content_type(header) && in_digest ? "message/rfc822" : type.value, type.parameter("boundary"),
            transfer_encoding(header)};
}

// The header as it is signed. A body that leaves as 7-bit text says so: relays that do not take 8-bit mail encode what
// is labelled 8bit and break the signature, whatever the body holds.
std::string header_text(Header header, const Shape& shape, std::optional<TransferEncoding> change, const Pass& pass) {
    const bool label_too_wide =
        shape.encoding == TransferEncoding::eight_bit || shape.encoding == TransferEncoding::binary;
    if (change) {
        set_transfer_encoding(header, *change);
    } else if (pass.clear_signed() && label_too_wide && shape.may_be_encoded()) {
        set_transfer_encoding(header, TransferEncoding::seven_bit);
    }
    std::string text;
    for (Field& field : header.fields) {
        field.raw = canonical_text(field.raw);
        text += pass.clear_signed() ? without_trailing_space(field).raw : field.raw;
    }
    return text + canonical_text(header.end);
}

// A delimiter line as it is signed. White space after the boundary has no meaning.
std::string delimiter_text(std::string_view raw, const Pass& pass) {
    std::string text = canonical_text(raw);
    if (!pass.clear_signed()) return text;
    const bool ends_line = text.ends_with("\r\n");
    if (ends_line) text.resize(text.size() - 2);
    while (!text.empty() && is_wsp(text.back()))
        text.pop_back();
    return ends_line ? text + "\r\n" : text;
}

// Margin is the preamble or epilogue of a multipart.
class Margin final : public Source {
  public:
    Margin(Source& from, Pass& pass, std::string name)
        : canonical_(canonical(from)), inspected_(*canonical_, inspector_), pass_(pass), name_(std::move(name)) {}

    ByteView pull() override {
        const ByteView piece = inspected_.pull();
        if (piece.empty() && pass_.clear_signed()) {
            inspector_.finish();
            if (!inspector_.problem().empty()) pass_.refuse(fmt::format("the {} has {}", name_, inspector_.problem()));
        }
        return piece;
    }

  private:
    std::unique_ptr<Source> canonical_;
    LineInspector inspector_;
    InspectedSource inspected_;
    Pass& pass_;
    std::string name_;
};

// Leaf is the body of an entity that has no parts, or whose parts are not looked at.
class Leaf final : public Source {
  public:
    Leaf(Source& body, Pass& pass, const Place& place, Shape shape, std::optional<TransferEncoding> change)
        : pass_(pass),
          name_(place.name()),
          shape_(std::move(shape)),
          index_(pass.leaves - 1),
          inspector_(shape_.is_text() && shape_.is_identity()) {
        current_ = &body;
        if (shape_.encoding != TransferEncoding::binary) add(canonical(*current_));
        if (pass.clear_signed()) add(std::make_unique<InspectedSource>(*current_, inspector_));
        if (!change) return;
        add(decode(*current_, shape_.encoding));
        add(std::make_unique<EncodedSource>(*current_, *change));
    }

    ByteView pull() override {
        const ByteView piece = current_->pull();
        if (piece.empty() && pass_.clear_signed() && !judged_) judge();
        return piece;
    }

  private:
    void add(std::unique_ptr<Source> stage) {
        current_ = stage.get();
        stages_.push_back(std::move(stage));
    }

    void judge() {
        judged_ = true;
        inspector_.finish();
        const std::string_view problem = inspector_.problem();
        const bool binary = shape_.encoding == TransferEncoding::binary && inspector_.size() > 0;
        if (problem.empty() && !(binary && shape_.may_be_encoded())) return;
        if (!shape_.may_be_encoded()) {
            pass_.refuse(
                fmt::format("{} ({}) has {} and may not be re-encoded", name_, shape_.printable_type(), problem));
        } else if (shape_.encoding == TransferEncoding::unknown) {
            pass_.refuse(fmt::format("{} ({}) has {} and a transfer encoding that is unknown", name_,
                                     shape_.printable_type(), problem));
        } else {
            pass_.needed.changes.push_back({index_, fitting_encoding()});
        }
    }

    TransferEncoding fitting_encoding() const {
        const bool readable = shape_.encoding == TransferEncoding::quoted_printable ||
                              shape_.encoding == TransferEncoding::seven_bit ||
                              shape_.encoding == TransferEncoding::eight_bit;
        return shape_.is_text() && readable && !inspector_.mostly_escapes() ? TransferEncoding::quoted_printable
                                                                            : TransferEncoding::base64;
    }

    Pass& pass_;
    std::string name_;
    Shape shape_;
    std::size_t index_;
    LineInspector inspector_;
    std::vector<std::unique_ptr<Source>> stages_;
    Source* current_ = nullptr;  // the last stage
    bool judged_ = false;
};

std::unique_ptr<Source> make_entity(Source& from, Pass& pass, Place place);

// Parts is the body of a multipart, part by part.
class Parts final : public Source {
  public:
    Parts(Window& body, Pass& pass, Place place, const Shape& shape)
        : pass_(pass),
          place_(std::move(place)),
          is_digest_(shape.type == "multipart/digest"),
          multipart_(body, shape.boundary),
          section_(std::make_unique<Margin>(multipart_.preamble(), pass, "preamble of " + place_.name())) {}

    ByteView pull() override {
        while (section_) {
            const ByteView piece = section_->pull();
            if (!piece.empty()) return piece;
            enter_next_section();
            if (!delimiter_.empty()) return bytes_of(delimiter_);
        }
        return {};
    }

  private:
    void enter_next_section() {
        delimiter_.clear();
        section_.reset();
        if (multipart_.closed()) return;
        if (multipart_.next()) {
            section_ = make_entity(multipart_.part(), pass_, place_.child(++count_, is_digest_));
        } else if (multipart_.closed()) {
            section_ = std::make_unique<Margin>(multipart_.epilogue(), pass_, "epilogue of " + place_.name());
        }
        delimiter_ = delimiter_text(multipart_.delimiter(), pass_);
    }

    Pass& pass_;
    Place place_;
    bool is_digest_;
    Multipart multipart_;
    std::unique_ptr<Source> section_;  // preamble, part or epilogue; null at the end
    std::string delimiter_;
    std::size_t count_ = 0;
};

class Entity final : public Source {
  public:
    Entity(Source& from, Pass& pass, Place place) : window_(from), pass_(pass), place_(std::move(place)) {}

    ByteView pull() override {
        if (!body_) {
            open();
            if (!header_.empty()) return bytes_of(header_);
        }
        return body_->pull();
    }

  private:
    void open() {
        if (place_.depth > kMaxNesting)
            throw LimitExceeded(fmt::format("parts are nested more than {} deep", kMaxNesting));
        Header header = read_header(window_);
        Shape shape = shape_of(header, place_.in_digest);
        const bool closed_to_us = shape.is_protected() && pass_.clear_signed();
        if (shape.is_multipart() && shape.is_identity() && is_boundary(shape.boundary) && !closed_to_us) {
            header_ = header_text(std::move(header), shape, std::nullopt, pass_);
            body_ = std::make_unique<Parts>(window_, pass_, place_, shape);
        } else {
            std::optional<TransferEncoding> change = pass_.planned(pass_.leaves++);
            if (!shape.may_be_encoded() || shape.encoding == TransferEncoding::unknown) change.reset();
            header_ = header_text(std::move(header), shape, change, pass_);
            body_ = std::make_unique<Leaf>(window_, pass_, place_, std::move(shape), change);
        }
        if (pass_.clear_signed()) inspect_header();
    }

    void inspect_header() {
        const TopHeader allowed = place_.path.empty() ? pass_.top : TopHeader::seven_bit;
        if (allowed == TopHeader::any) return;
        std::string header = header_;
        if (allowed == TopHeader::utf8 && in_utf8(header) == header)
            std::replace_if(
                header.begin(), header.end(), [](char c) { return c < 0; }, 'x');
        LineInspector inspector;
        inspector.push(bytes_of(header));
        inspector.finish();
        if (!inspector.problem().empty())
            pass_.refuse(fmt::format("the header of {} has {}", place_.name(), inspector.problem()));
    }

    Window window_;
    Pass& pass_;
    Place place_;
    std::string header_;
    std::unique_ptr<Source> body_;
};

std::unique_ptr<Source> make_entity(Source& from, Pass& pass, Place place) {
    return std::make_unique<Entity>(from, pass, std::move(place));
}

}  // namespace

struct TransportSafe::State {
    State(Source& source, Canonicalisation form, TransportPlan plan, TopHeader top)
        : pass{.form = form, .plan = std::move(plan), .top = top}, entity(source, pass, Place{}) {}

    Pass pass;
    Entity entity;
};

TransportSafe::TransportSafe(Source& entity, Canonicalisation form, TransportPlan plan, TopHeader top)
    : state_(std::make_unique<State>(entity, form, std::move(plan), top)) {}

TransportSafe::~TransportSafe() = default;

ByteView TransportSafe::pull() {
    return state_->entity.pull();
}

const TransportPlan& TransportSafe::needed() const {
    return state_->pass.needed;
}

const std::string& TransportSafe::refusal() const {
    return state_->pass.refusal;
}

}  // namespace p11mime::mime
