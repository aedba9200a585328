#pragma once

namespace p11mime::cms {

/// Overload is one visitor (std::visit) of many lambdas.
template <class... Each>
struct Overload : Each... {
    using Each::operator()...;
};
template <class... Each>
Overload(Each...) -> Overload<Each...>;

}  // namespace p11mime::cms
