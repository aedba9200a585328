// The form that is signed needs nothing more to be done to it, comes out alike in pieces of any size and is safe in
// mail.
#include <cstdlib>
#include <optional>

#include "mime/error.h"
#include "mime/line_inspector.h"
#include "mime/transport.h"
#include "softhsm-tests/mime_pieces.h"

using namespace p11mime;
using mime::Canonicalisation;

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

struct Result {
    std::string text;
    mime::TransportPlan needed;
    std::string refusal;
    bool operator==(const Result&) const = default;
};

std::optional<Result> run(std::string_view entity, Canonicalisation form, const mime::TransportPlan& plan,
                          std::size_t piece_size) {
    test::PieceSource source(entity, piece_size);
    mime::TransportSafe safe(source, form, plan);
    try {
        std::string text = test::text_from(safe);
        return Result{std::move(text), safe.needed(), safe.refusal()};
    } catch (const Error&) {
        return std::nullopt;
    }
}

void try_form(std::string_view entity, Canonicalisation form) {
    const auto first = run(entity, form, {}, 0);
    check(run(entity, form, {}, 1) == first && run(entity, form, {}, 7) == first);
    if (!first || !first->refusal.empty()) return;
    const auto second = run(entity, form, first->needed, 0);
    check(run(entity, form, first->needed, 5) == second);
    if (!second) return;
    check(second->needed == first->needed && second->refusal.empty());
    const auto again = run(second->text, form, {}, 0);
    check(again && again->text == second->text && again->needed.changes.empty() && again->refusal.empty());
    if (form != Canonicalisation::clear_signed) return;
    mime::LineInspector inspector;
    inspector.push(bytes_of(second->text));
    inspector.finish();
    check(inspector.problem().empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text = text_of({data, size});
    try_form(text, Canonicalisation::clear_signed);
    try_form(text, Canonicalisation::enclosed);
    return 0;
}
