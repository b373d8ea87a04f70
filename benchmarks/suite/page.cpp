// SPDX-License-Identifier: Apache-2.0
#include "page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include <mellow/core/error.hpp>
#include <mellow/tools/read_file.hpp>

namespace mellow::suite::page {
namespace {

constexpr std::string_view stylesheet = R"(
:root { color-scheme: light dark; --ink: #1c2024; --soft: #5b6670; --paper: #ffffff; --card: #f5f7f9; --rule: #d9dfe4;
  --good: #0a7a4b; --bad: #b3261e; --open: #7a5c00; --link: #0072b2; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7ea; --soft: #9aa5af; --paper: #15181b; --card: #1f2428;
  --rule: #363d43; --good: #4cc38a; --bad: #ff8a80; --open: #e6b84c; --link: #6cb8ea; } }
body { margin: 0 auto; max-width: 62rem; padding: 2rem 1.25rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.3rem; margin: 3rem 0 .75rem; padding-top: 1rem; border-top: 1px solid var(--rule); }
a { color: var(--link); }
nav ol { padding-left: 1.4rem; } nav li { margin: .15rem 0; }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--rule);
  overflow-wrap: anywhere; }
th { color: var(--soft); font-weight: 600; white-space: nowrap; }
td.number, th.number { text-align: right; white-space: nowrap; overflow-wrap: normal; }
figure { margin: 1.25rem 0; } figcaption { color: var(--soft); font-size: .9rem; margin-top: .35rem; }
img { max-width: 100%; height: auto; background: #ffffff; border: 1px solid var(--rule); border-radius: 6px; }
details { background: var(--card); border-radius: 6px; padding: .5rem .9rem; margin: .6rem 0; }
summary { cursor: pointer; color: var(--soft); }
.mark { font-weight: 600; white-space: nowrap; }
.good { color: var(--good); } .bad { color: var(--bad); } .open { color: var(--open); }
@media print { details { display: none; } }
)";

/// A text in HTML.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '&') result += "&amp;";
    else if (c == '<') result += "&lt;";
    else if (c == '>') result += "&gt;";
    else if (c == '"') result += "&quot;";
    else result += c;
  }
  return result;
}

/// A text in a cell or a line of Markdown: in one line, with what is special there escaped.
std::string in_markdown(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\n') result += ' ';
    else if (std::string_view("\\|*_<>`[]").find(c) != std::string_view::npos) result += {'\\', c};
    else result += c;
  }
  return result;
}

/// Whether a column's cells begin as numbers do, so that it is set flush right.
bool is_numeric(const Table& table, std::size_t column) {
  const auto number = [&](const std::vector<std::string>& row) {
    const std::string& cell = row[column];
    const auto at = cell.find_first_not_of("-+");
    return cell.empty() || cell == "-" ||
           (at != cell.npos && std::isdigit(static_cast<unsigned char>(cell[at])) != 0 &&
            cell.find_first_not_of("0123456789.,+-e%") == cell.npos);
  };
  return !table.rows.empty() && std::ranges::all_of(table.rows, number);
}

std::string cell_of(std::string_view text) {
  const char* mark = text == "holds"               ? "good"
                     : text == "does not hold"     ? "bad"
                     : text == "left open"         ? "open"
                     : text == "not testable here" ? "open"
                                                   : nullptr;
  return mark == nullptr ? escaped(text) : fmt::format("<span class=\"mark {}\">{}</span>", mark, escaped(text));
}

std::string in_html(const Text& block) { return fmt::format("<p>{}</p>\n", escaped(block.text)); }

std::string in_html(const Picture& block) {
  return fmt::format(
      "<figure><img alt=\"{0}\" src=\"data:image/svg+xml;base64,{1}\"><figcaption>{0}</figcaption></figure>\n",
      escaped(block.caption), base64(tools::read_file(block.file)));
}

std::string in_html(const Table& block) {
  std::vector<const char*> kinds;
  for (std::size_t i = 0; i < block.columns.size(); ++i)
    kinds.push_back(is_numeric(block, i) ? " class=\"number\"" : "");
  std::string text = "<div class=\"scroll\"><table>\n<thead><tr>";
  for (std::size_t i = 0; i < block.columns.size(); ++i)
    text += fmt::format("<th{}>{}</th>", kinds[i], escaped(block.columns[i]));
  text += "</tr></thead>\n<tbody>\n";
  for (const auto& row : block.rows) {
    text += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) text += fmt::format("<td{}>{}</td>", kinds[i], cell_of(row[i]));
    text += "</tr>\n";
  }
  text += "</tbody></table></div>\n";
  if (block.folded.empty()) return text;
  return fmt::format("<details><summary>{}</summary>\n{}</details>\n", escaped(block.folded), text);
}

std::string in_lines(const Text& block, const std::filesystem::path&) { return in_markdown(block.text) + "\n\n"; }

std::string in_lines(const Picture& block, const std::filesystem::path& folder) {
  std::string link = block.file.lexically_relative(folder).generic_string();
  for (std::size_t at = 0; (at = link.find(' ', at)) != link.npos;) link.replace(at, 1, "%20");
  return fmt::format("![{}]({})\n\n", in_markdown(block.caption), link);
}

std::string in_lines(const Table& block, const std::filesystem::path&) {
  std::string text = "|", rule = "|";
  for (std::size_t i = 0; i < block.columns.size(); ++i) {
    text += fmt::format(" {} |", in_markdown(block.columns[i]));
    rule += is_numeric(block, i) ? "---:|" : "---|";
  }
  text += "\n" + rule + "\n";
  for (const auto& row : block.rows) {
    text += "|";
    for (const auto& cell : row) text += fmt::format(" {} |", in_markdown(cell));
    text += "\n";
  }
  if (block.folded.empty()) return text + "\n";
  return fmt::format("<details><summary>{}</summary>\n\n{}\n</details>\n\n", escaped(block.folded), text);
}

}  // namespace

std::string html(std::string_view title, const std::vector<Section>& sections) {
  std::string text = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{0}</title>\n"
      "<style>{1}</style>\n</head>\n<body>\n<h1>{0}</h1>\n<nav><ol>\n",
      escaped(title), stylesheet);
  for (std::size_t i = 0; i < sections.size(); ++i)
    text += fmt::format("<li><a href=\"#section-{}\">{}</a></li>\n", i + 1, escaped(sections[i].title));
  text += "</ol></nav>\n";
  for (std::size_t i = 0; i < sections.size(); ++i) {
    text += fmt::format("<h2 id=\"section-{}\">{}</h2>\n", i + 1, escaped(sections[i].title));
    for (const Block& block : sections[i].blocks) text += std::visit([](const auto& b) { return in_html(b); }, block);
  }
  return text + "</body>\n</html>\n";
}

std::string markdown(std::string_view title, const std::vector<Section>& sections,
                     const std::filesystem::path& folder) {
  std::string text = fmt::format("# {}\n\n", in_markdown(title));
  for (const Section& section : sections) {
    text += fmt::format("## {}\n\n", in_markdown(section.title));
    for (const Block& block : section.blocks)
      text += std::visit([&](const auto& b) { return in_lines(b, folder); }, block);
  }
  text.pop_back();  // one line end is enough
  return text;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto at = [&](std::size_t k) { return k < bytes.size() ? static_cast<unsigned char>(bytes[k]) : 0u; };
    const unsigned group = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    for (unsigned d = 0; d < 4; ++d) result += i + d <= bytes.size() ? digits[group >> (18 - 6 * d) & 63] : '=';
  }
  return result;
}

}  // namespace mellow::suite::page
