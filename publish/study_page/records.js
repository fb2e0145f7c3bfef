// The records behind a number: tables that are loaded part by part, and the way from a record to those it was made from.
(function () {
  "use strict";
  var tables = {}, order = [], size = 0, parts = {}, sources = {}, outputs = {}, loading = {};
  var main = document.querySelector("main"), MOST = 50, FEW = 10, EPOCH = Date.UTC(1960, 0, 1), DAY = 86400000;
  var MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" ");
  var SENTENCES = { below: "is below", at_most: "is at most", above: "is above", at_least: "is at least" };
  var TESTS = [["contains", "contains"], ["is", "is"], ["not", "is not"], ["at_least", "is at least"],
    ["at_most", "is at most"], ["missing", "is missing"], ["present", "is not missing"]];

  // What the script files call.
  window.studyTables = function (all) {
    size = all.part;
    all.tables.forEach(function (table) { tables[table.name] = table; order.push(table.name); });
    show(false);
  };
  window.studyPart = function (part) { parts[part.table + "-" + part.part] = part.columns.map(column(part.rows)); };
  window.studyOutput = function (output) { outputs[output.output] = output; };
  window.studySources = function (given) {
    var counts = numbers(given.counts, given.most[0]), starts = new Uint32Array(counts.length + 1);
    counts.forEach(function (count, row) { starts[row + 1] = starts[row] + count; });
    sources[given.table + "-" + given.part] = {
      bundles: given.bundles, starts: starts,
      bundle: numbers(given.bundle, given.most[1]), place: numbers(given.place, given.most[2])
    };
  };

  function load(path) {
    loading[path] = loading[path] || new Promise(function (done, failed) {
      var script = document.createElement("script");
      script.src = path;
      script.onload = done;
      script.onerror = function () { delete loading[path]; failed(new Error("The file " + path + " cannot be read.")); };
      document.head.appendChild(script);
    });
    return loading[path];
  }
  function numbers(text, most) {
    var raw = atob(text), bytes = new Uint8Array(raw.length);
    for (var i = 0; i < raw.length; i += 1) { bytes[i] = raw.charCodeAt(i); }
    return most < 256 ? bytes : most < 65536 ? new Uint16Array(bytes.buffer) : new Uint32Array(bytes.buffer);
  }
  function column(rows) {
    return function (packed) {
      var codes = packed.length > 1 ? numbers(packed[1], packed[0].length - 1) : new Uint8Array(rows);
      return { values: packed[0], codes: codes };
    };
  }
  function loadPart(name, row) { return load("data/" + encodeURIComponent(name) + "-" + Math.floor(row / size) + ".js"); }
  function loadTable(name) {
    var all = [];
    for (var row = 0; row < tables[name].rows; row += size) { all.push(loadPart(name, row)); }
    return Promise.all(all);
  }
  function place(name, variable) {
    return tables[name].columns.findIndex(function (one) { return one.name === variable; });
  }
  function value(name, row, at) {
    var held = parts[name + "-" + Math.floor(row / size)][at];
    return held.values[held.codes[row % size]];
  }
  function two(number) { return String(number).padStart(2, "0"); }
  function day(date) { return two(date.getUTCDate()) + MONTHS[date.getUTCMonth()] + date.getUTCFullYear(); }
  function time(date) { return two(date.getUTCHours()) + ":" + two(date.getUTCMinutes()); }
  // A value as the format of its variable, or the choice that a code stands for, shows it.
  function shown(given, described) {
    var format = described.format || "";
    if (given === null || given === "") { return ""; }
    if (typeof given === "number") {
      if (/^(DATETIME|E8601DT)/.test(format)) { var at = new Date(EPOCH + given * 1000); return day(at) + ":" + time(at); }
      if (/^TIME/.test(format)) { return time(new Date(given * 1000)); }
      if (/^E8601DA/.test(format)) { return new Date(EPOCH + given * DAY).toISOString().slice(0, 10); }
      if (/^DATE/.test(format)) { return day(new Date(EPOCH + given * DAY)); }
      return String(Number(given.toPrecision(15)));
    }
    var choice = described.choices && described.choices[given];
    return choice && choice !== given ? given + " (" + choice + ")" : given;
  }

  // Conditions, as metadata/condition.py has them: missing is null for a number, blank for a text.
  function missing(one) { return one === null || one === ""; }
  function fulfils(one, name, operand, other) {
    if (name === "missing") { return missing(one) === operand; }
    if (name === "is" || name === "not") {
      return operand.some(function (wanted) { return wanted === "" ? missing(one) : one === wanted; }) === (name === "is");
    }
    var limit = other === undefined ? operand : other;
    if (missing(one) || missing(limit)) { return false; }
    if (other !== undefined && operand.plus) { limit += operand.plus; }
    return name === "below" ? one < limit : name === "at_most" ? one <= limit : name === "above" ? one > limit : one >= limit;
  }
  function compiled(name, test) {
    var at = place(name, test[0]), other = test[2] && test[2].variable ? place(name, test[2].variable) : -1;
    if (at < 0 || (test[2] && test[2].variable && other < 0)) { throw new Error(test[0] + " is not shown in " + name + "."); }
    if (other >= 0) { return function (row) { return fulfils(value(name, row, at), test[1], test[2], value(name, row, other)); }; }
    var known = {};
    return function (row) {  // each distinct value of a part is judged once
      var part = Math.floor(row / size), held = parts[name + "-" + part][at];
      var judged = known[part] = known[part] || held.values.map(function (one) { return fulfils(one, test[1], test[2]); });
      return judged[held.codes[row % size]];
    };
  }
  function selected(name, filter, tests) {
    var all = filter.map(function (alternatives) {
      return alternatives.map(function (group) { return group.map(function (one) { return compiled(name, tests[one]); }); });
    });
    var rows = [];
    for (var row = 0; row < tables[name].rows; row += 1) {
      if (all.every(function (any) { return any.some(function (group) { return group.every(function (holds) { return holds(row); }); }); })) { rows.push(row); }
    }
    return rows;
  }
  function sentence(filter, tests) {
    if (!filter.length) { return "all records"; }
    return filter.map(function (alternatives) {
      return alternatives.map(function (group) {
        return group.map(function (one) { return said(tests[one]); }).join(" and ");
      }).join(", or ");
    }).join("; ");
  }
  function said(test) {
    var name = test[0], operand = test[2];
    if (test[1] === "missing") { return name + (operand ? " is missing" : " is not missing"); }
    if (Array.isArray(operand)) {
      var few = operand.length > 6 ? "one of " + operand.length + " values" : operand.map(function (one) { return one === "" ? "missing" : one; }).join(" or ");
      return name + (test[1] === "is" ? " is " : " is not ") + few;
    }
    if (operand.variable === name) { return "nobody"; }
    return name + " " + SENTENCES[test[1]] + " " + (operand.variable ? operand.variable + (operand.plus ? " + " + operand.plus : "") : operand);
  }

  // The document.
  function make(kind, attributes, content) {
    var made = document.createElement(kind);
    Object.keys(attributes || {}).forEach(function (name) { made.setAttribute(name, attributes[name]); });
    [].concat(content === undefined ? [] : content).forEach(function (one) { if (one !== "") { made.append(one); } });
    return made;
  }
  function link(given, text) { return make("a", { href: address(given) }, text); }
  function address(given) {
    var kept = new URLSearchParams();
    Object.keys(given).forEach(function (name) { if (given[name] !== "" && given[name] !== undefined) { kept.set(name, given[name]); } });
    return "#" + kept;
  }
  function heading(text) {
    document.title = text + " \u2013 " + document.body.getAttribute("data-study");
    return make("h1", { tabindex: "-1" }, text);
  }
  function scrolled(label, table) { return make("div", { class: "scroll", role: "group", tabindex: "0", "aria-label": label }, table); }
  function row(cells, first) {
    return make("tr", {}, cells.map(function (one, at) { return at === 0 && first ? make("th", { scope: "row" }, one) : make("td", {}, one); }));
  }
  // On a phone a line is read from top to bottom, each cell after the head of its column.
  function grid(label, heads, rows) {
    rows.forEach(function (line) { named(line, heads); });
    var head = make("tr", {}, heads.map(function (one) { return make("th", { scope: "col" }, one); }));
    return scrolled(label, make("table", { class: "stacked" }, [make("thead", {}, head), make("tbody", {}, rows)]));
  }
  function named(line, heads) {
    Array.from(line.cells).slice(1).forEach(function (cell, at) { if (cell.textContent) { cell.setAttribute("data-label", heads[at + 1]); } });
    return line;
  }
  function count(number, one, many) { return number.toLocaleString("en") + " " + (number === 1 ? one : many || one + "s"); }
  function title(name) { return tables[name].group === "REDCap forms" ? "Form " + tables[name].label : name; }
  function keyText(name, at) {
    return tables[name].keys.map(function (key) {
      var where = place(name, key);
      return where < 0 ? "" : shown(value(name, at, where), tables[name].columns[where]);
    }).filter(Boolean).join(", ");
  }

  // A list of records, sorted, filtered and in pages, as the address says.
  function list(name, rows, given, first) {
    var table = tables[name], chosen = rows.slice(), at = place(name, given.get("by") || "");
    var columns = table.columns.map(function (one, where) { return [one, where]; });
    if (first) {  // what the records were chosen by is nearest to them
      columns.sort(function (a, b) { return rank(first, a[0].name) - rank(first, b[0].name) || a[1] - b[1]; });
    }
    if (at >= 0) { chosen = chosen.filter(wanted(name, at, given.get("test"), given.get("value") || "")); }
    var sorted = (given.get("sort") || "").replace("-", ""), back = (given.get("sort") || "").charAt(0) === "-" ? -1 : 1;
    var sort = place(name, sorted);
    if (sort >= 0) {
      chosen.sort(function (a, b) { return back * compared(value(name, a, sort), value(name, b, sort)) || a - b; });
    }
    var pages = Math.max(1, Math.ceil(chosen.length / MOST)), page = Math.min(Math.max(1, Number(given.get("page")) || 1), pages);
    var heads = columns.map(function (each) {
      var one = each[0];
      var now = one.name === sorted ? (back < 0 ? "descending" : "ascending") : "none";
      var next = changed(given, { sort: one.name === sorted && back > 0 ? "-" + one.name : one.name, page: "" });
      var head = make("th", { scope: "col", "aria-sort": now }, make("a", { href: next, title: one.note || "" }, one.name));
      head.append(make("span", { class: "label" }, one.label));
      return head;
    });
    var body = chosen.slice((page - 1) * MOST, page * MOST).map(function (record) {
      return row([link({ table: name, row: record + 1 }, "Record " + (record + 1))].concat(columns.map(function (each) {
        return cell(each[0], value(name, record, each[1]));
      })), true);
    });
    var head = make("tr", {}, [make("th", { scope: "col" }, "Record")].concat(heads));
    var shownTable = make("table", { class: "records" }, [make("thead", {}, head), make("tbody", {}, body)]);
    var number = count(chosen.length, "record") + (chosen.length < rows.length ? " of " + rows.length.toLocaleString("en") : "");
    return [controls(name, given), make("p", { role: "status" }, number + (pages > 1 ? ", page " + page + " of " + pages : "")),
      pager(given, page, pages), scrolled("Records of " + title(name), shownTable)];
  }
  function rank(first, name) { var at = first.indexOf(name); return at < 0 ? first.length : at; }
  function cell(described, given) {
    if (described.name === "link") { return given ? make("a", { href: given, rel: "noreferrer" }, "Open the form") : ""; }
    return shown(given, described);
  }
  function wanted(name, at, test, text) {
    var known = tables[name].columns[at], number = Number(text);
    return function (record) {
      var one = value(name, record, at), other = typeof one === "number" && text.trim() !== "" && !isNaN(number) ? number : text;
      if (test === "missing" || test === "present") { return missing(one) === (test === "missing"); }
      if (test === "is") { return one === other || shown(one, known) === text; }
      if (test === "not") { return one !== other && shown(one, known) !== text; }
      if (test === "at_least") { return !missing(one) && compared(one, other) >= 0; }
      if (test === "at_most") { return !missing(one) && compared(one, other) <= 0; }
      return shown(one, known).toLowerCase().indexOf(text.toLowerCase()) >= 0;
    };
  }
  function compared(one, other) {
    if (missing(one) || missing(other)) { return missing(one) - missing(other); }
    return one < other ? -1 : one > other ? 1 : 0;
  }
  function changed(given, now) {
    var kept = {};
    given.forEach(function (text, name) { kept[name] = text; });
    return address(Object.assign(kept, now));
  }
  function pager(given, page, pages) {
    if (pages === 1) { return ""; }
    var links = [[1, "First"], [page - 1, "Previous"], [page + 1, "Next"], [pages, "Last"]].filter(function (one) {
      return one[0] >= 1 && one[0] <= pages && one[0] !== page;
    });
    return make("nav", { "aria-label": "Pages", class: "pager" }, links.map(function (one) {
      return make("a", { href: changed(given, { page: one[0] }) }, one[1]);
    }));
  }
  function options(pairs, now) {
    return pairs.map(function (one) {
      var made = make("option", { value: one[0] }, one[1]);
      made.selected = one[0] === now;
      return made;
    });
  }
  function controls(name, given) {
    var names = tables[name].columns.map(function (one) { return [one.name, one.name + " \u2013 " + one.label]; });
    var by = make("select", { name: "by" }, options([["", "all records"]].concat(names), given.get("by") || ""));
    var test = make("select", { name: "test" }, options(TESTS, given.get("test") || "contains"));
    var text = make("input", { name: "value", type: "search", size: "14", value: given.get("value") || "" });
    var sort = make("select", { name: "sort" }, options([["", "as in the dataset"]].concat(names, names.map(function (one) {
      return ["-" + one[0], one[0] + ", from the end"];
    })), given.get("sort") || ""));
    var form = make("form", { class: "filter" }, [
      make("label", {}, ["Show ", by]), make("label", {}, ["that ", test]), make("label", {}, ["value ", text]),
      make("label", {}, ["Sort by ", sort]), make("button", { type: "submit" }, "Apply")]);
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      location.hash = changed(given, { by: by.value, test: by.value ? test.value : "", value: by.value ? text.value : "", sort: sort.value, page: "" });
    });
    return form;
  }

  // Views.
  function overview() {
    var groups = {};
    order.forEach(function (name) { (groups[tables[name].group] = groups[tables[name].group] || []).push(name); });
    return Promise.resolve([heading("Datasets and forms")].concat(Object.keys(groups).reduce(function (made, group) {
      return made.concat(make("h2", {}, group), grid(group, ["Name", "Label", "Records", "Variables"], groups[group].map(function (name) {
        return row([link({ table: name }, name), tables[name].label, tables[name].rows.toLocaleString("en"), String(tables[name].columns.length)], true);
      })));
    }, [])));
  }
  function whole(name, given) {
    return loadTable(name).then(function () {
      var every = Array.from({ length: tables[name].rows }, function (_, at) { return at; });
      return [heading(title(name) + (title(name) === name ? ": " + tables[name].label : ""))].concat(list(name, every, given), hidden(name));
    });
  }
  function hidden(name) {
    var names = tables[name].withheld.map(function (one) { return one.name; });
    return names.length ? make("p", { class: "soft" }, "Identifiers are not shown: " + names.join(", ") + ".") : "";
  }
  function statistics(output, positions) {
    var heads = ["Statistic", "Value", "Group", "Variable", "Level", "Method", "n", "Note"];
    return grid("Statistics", heads, positions.map(function (at) {
      var one = result(output, at);
      return row([link({ result: output.output + "/" + (at + 1) }, one.statistic), one.text, one.group,
        [one.subset, one.variable].filter(Boolean).join(", "), one.level, one.method, one.n, one.warning], true);
    }));
  }
  function result(output, at) {
    var made = { source: output.results[at][output.columns.length] };
    output.columns.forEach(function (name, place) { made[name] = output.results[at][place]; });
    return made;
  }
  function loadOutput(name) {
    return load("results/" + encodeURIComponent(name) + ".js").then(function () { return outputs[name]; });
  }
  function back(output) { return make("p", {}, make("a", { href: "../reports/" + encodeURIComponent(output.output) + ".html" }, "Back to " + output.output + ", " + output.title)); }
  function ofOutput(name) {
    return loadOutput(name).then(function (output) {
      return [heading("Results of " + name), back(output), statistics(output, output.results.map(function (_, at) { return at; }))];
    });
  }
  function ofCell(text, given) {
    var at = text.lastIndexOf("/");
    return loadOutput(text.slice(0, at)).then(function (output) {
      var found = output.cells[Number(text.slice(at + 1)) - 1];
      if (!found) { throw new Error(output.output + " has no cell " + text.slice(at + 1) + "."); }
      var about = [heading(found[3].trim() + " in " + output.output), back(output), make("dl", { class: "facts" }, [
        make("dt", {}, "Line"), make("dd", {}, found[1]), make("dt", {}, "Column"), make("dd", {}, found[2])]),
        make("h2", {}, "What the cell shows"), statistics(output, found[4])];
      return behind(output, found[4], given).then(function (made) { return about.concat(made); });
    });
  }
  function ofResult(text, given) {
    var at = text.lastIndexOf("/");
    return loadOutput(text.slice(0, at)).then(function (output) {
      var positions = [Number(text.slice(at + 1)) - 1];
      if (!output.results[positions[0]]) { throw new Error(output.output + " has no result " + text.slice(at + 1) + "."); }
      var about = [heading(result(output, positions[0]).text + " in " + output.output), back(output), statistics(output, positions)];
      return behind(output, positions, given).then(function (made) { return about.concat(made); });
    });
  }
  // The records of each selection that results were computed from; of results from other results, these.
  function behind(output, positions, given) {
    var used = Array.from(new Set(positions.map(function (at) { return output.results[at][output.columns.length]; })));
    var asked = Number(given.get("selection")) || 1, source = output.sources[used[Math.min(asked, used.length) - 1]];
    if (source[0] === "results") {
      return Promise.resolve([make("h2", {}, "Computed from these results"), make("ul", {}, source[1].map(function (one) {
        return make("li", {}, link({ result: one[0] + "/" + (one[1] + 1) }, one[0] + ", " + one[2]));
      }))]);
    }
    if (!tables[source[0]]) { return Promise.resolve([make("p", {}, "The dataset " + source[0] + " is not in this package.")]); }
    return loadTable(source[0]).then(function () {
      var made = [make("h2", {}, "Records of " + source[0] + " behind it"), make("p", { class: "soft" }, "Selected: " + sentence(source[1], output.tests) + ".")];
      if (used.length > 1) {
        made.push(make("nav", { "aria-label": "Selections" }, used.map(function (one, at) {
          return make("a", at + 1 === asked ? { "aria-current": "true", href: changed(given, { selection: at + 1 }) } : { href: changed(given, { selection: at + 1, page: "" }) },
            "Selection " + (at + 1) + " (" + output.sources[one][0] + ")");
        })));
      }
      return made.concat(list(source[0], selected(source[0], source[1], output.tests), given, nearest(output, positions, source)));
    });
  }
  function nearest(output, positions, source) {
    var analysed = positions.map(function (at) { return result(output, at).variable; });
    var tested = [].concat.apply([], source[1].map(function (any) { return [].concat.apply([], any); })).map(function (one) { return output.tests[one][0]; });
    return tables[source[0]].keys.concat(analysed, tested);
  }
  // What a record was made from: [table, place, pairs of variables] of each source.
  function madeFrom(name, at) {
    if (tables[name].group === "REDCap forms") { return Promise.resolve([]); }
    var number = Math.floor(at / size);
    return load("data/" + encodeURIComponent(name) + "-from-" + number + ".js").then(function () {
      var held = sources[name + "-" + number], found = [];
      for (var one = held.starts[at % size]; one < held.starts[at % size + 1]; one += 1) {
        var bundle = held.bundles[held.bundle[one]];
        found.push({ table: bundle[0], row: held.place[one], pairs: bundle[1] });
      }
      return Promise.all(found.map(function (one) { return loadPart(one.table, one.row); })).then(function () { return found; });
    });
  }
  function ofRecord(name, text) {
    var at = Number(text) - 1;
    if (!(at >= 0 && at < tables[name].rows)) { return Promise.reject(new Error(name + " has no record " + text + ".")); }
    return loadPart(name, at).then(function () { return madeFrom(name, at); }).then(function (found) {
      var made = [heading(title(name) + ", record " + text), make("p", { class: "soft" }, keyText(name, at)),
        make("p", {}, link({ table: name }, "All records of " + title(name)))];
      var forms = found.filter(function (one) { return tables[one.table].group === "REDCap forms"; });
      var records = found.filter(function (one) { return forms.indexOf(one) < 0; });
      if (tables[name].group === "REDCap forms") {
        var opens = value(name, at, place(name, "link"));
        made.push(make("p", {}, opens ? make("a", { href: opens, rel: "noreferrer" }, "Open the form in REDCap") : "There is no address of this form."));
      }
      made = made.concat(fromRecords(records), fromForms(forms));
      if (!found.length && tables[name].group !== "REDCap forms") { made.push(make("p", {}, "This record was made from the protocol, not from collected records.")); }
      var filled = tables[name].columns.map(function (one, where) { return [one, value(name, at, where)]; }).filter(function (one) {
        return !missing(one[1]) && one[0].name !== "link";
      });
      return made.concat(make("h2", {}, "Values"), grid("Values", ["Variable", "Label", "Value", "How it comes about"], filled.map(function (one) {
        return row([one[0].name, one[0].label, shown(one[1], one[0]), one[0].note || ""], true);
      })), make("p", { class: "soft" }, count(tables[name].columns.length - filled.length, "variable") + " without a value."), hidden(name));
    });
  }
  function fromRecords(records) {
    var by = {};
    records.forEach(function (one) { (by[one.table] = by[one.table] || []).push(one); });
    var names = Object.keys(by).sort(function (a, b) { return order.indexOf(a) - order.indexOf(b); });
    return names.reduce(function (made, name) {
      function lines(some) {
        return some.map(function (one) {
          return named(row([link({ table: name, row: one.row + 1 }, name + " record " + (one.row + 1)), keyText(name, one.row), one.pairs.map(pair(name, one.row)).join("; ")], true), heads);
        });
      }
      var heads = ["Record", "Key", "What it gave"], table = grid("Records of " + name, heads, lines(by[name].slice(0, FEW)));
      var rest = by[name].slice(FEW), more = rest.length ? make("button", { type: "button" }, "Show " + count(rest.length, "more record", "more records")) : "";
      if (more) {
        more.addEventListener("click", function () { table.querySelector("tbody").append.apply(table.querySelector("tbody"), lines(rest)); more.remove(); table.focus(); });
      }
      return made.concat(make("h2", {}, "Made from " + tables[name].group + " dataset " + name), table, more);
    }, []);
  }
  function pair(name, at) {
    return function (one) {
      var where = place(name, one[0]), held = where < 0 ? "" : shown(value(name, at, where), tables[name].columns[where]);
      if (one[0] === "*") { return one[1] === "*" ? "the record" : "for " + one[1]; }
      return (one[1] === "*" ? "" : one[1] + " from ") + one[0] + (held ? " = " + held : "");
    };
  }
  function fromForms(forms) {
    return forms.reduce(function (made, one) {
      var table = tables[one.table], opens = value(one.table, one.row, place(one.table, "link"));
      var lines = {}, withheld = table.withheld.map(function (each) { return each.name; });
      one.pairs.forEach(function (each) { (lines[each[0]] = lines[each[0]] || []).push(each[1] === "*" ? "the record" : each[1]); });
      var rows = Object.keys(lines).reduce(function (all, name) {
        var where = table.columns.map(function (_, at) { return at; }).filter(function (at) {
          return table.columns[at].name === name || table.columns[at].name.indexOf(name + "___") === 0;
        });
        var known = withheld.some(function (each) { return each === name || each.indexOf(name + "___") === 0; });
        if (!where.length) { return all.concat(row([name, "", known ? "an identifier, not shown" : "", lines[name].join(", ")], true)); }
        return all.concat(where.map(function (at) {
          return row([table.columns[at].name, table.columns[at].label, shown(value(one.table, one.row, at), table.columns[at]) || "blank", lines[name].join(", ")], true);
        }));
      }, []);
      return made.concat(make("h2", {}, title(one.table) + " in REDCap"),
        make("p", {}, [keyText(one.table, one.row) + ". ", opens ? make("a", { class: "open", href: opens, rel: "noreferrer" }, "Open the form in REDCap") : "", " ",
          link({ table: one.table, row: one.row + 1 }, "All its values")]),
        grid("Fields of " + title(one.table), ["Field", "Label", "Value", "Became"], rows));
    }, []);
  }
  function view() {
    var given = new URLSearchParams(location.hash.slice(1)), table = given.get("table");
    if (given.get("cell")) { return ofCell(given.get("cell"), given); }
    if (given.get("result")) { return ofResult(given.get("result"), given); }
    if (given.get("output")) { return ofOutput(given.get("output")); }
    if (table && !tables[table]) { return Promise.reject(new Error("There is no table " + table + ".")); }
    if (table && given.get("row")) { return ofRecord(table, given.get("row")); }
    return table ? whole(table, given) : overview();
  }
  var asked = 0;
  function show(moved) {
    var mine = asked += 1;
    main.setAttribute("aria-busy", "true");
    Promise.resolve().then(view).catch(function (error) {
      return [heading("This cannot be shown"), make("p", { role: "alert" }, error.message)];
    }).then(function (made) {
      if (mine !== asked) { return; }
      main.replaceChildren.apply(main, made.filter(function (one) { return one !== ""; }));
      main.removeAttribute("aria-busy");
      if (moved) { main.querySelector("h1").focus(); scrollTo(0, 0); }
    });
  }
  window.addEventListener("hashchange", function () { show(true); });
}());
