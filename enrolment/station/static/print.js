// The one thing on the receipt's page that takes a script.

document.getElementById("print").addEventListener("click", () => print());
