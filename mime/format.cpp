#include <fmt/format-inl.h>

// The compiled part of fmt, which Debian has as a shared library alone: that one would bring the shared C++ library,
// and loading that is a good part of a short run.
namespace fmt::detail {

template thousands_sep_result<char> thousands_sep_impl(locale_ref);
template char decimal_point_impl(locale_ref);
template void buffer<char>::append(const char*, const char*);
template void vformat_to(buffer<char>&, string_view, basic_format_args<buffer_context<char>>, locale_ref);

}  // namespace fmt::detail
