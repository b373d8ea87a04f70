# What Doxygen reads of the headers: two members that stand in many types and mean the same in each are documented here once, unless they
# are documented where they stand. Lines keep their numbers.
s|^ *using role = .*;$|&  ///< the role it fills|
/^ *template <class Self, class Visit>$/ {
  x
  /^ *\/\/\//! {
    x
    s|^|/** Names what changes during a run (`mellow::Visitable`). */ |
    x
  }
  x
}
h
